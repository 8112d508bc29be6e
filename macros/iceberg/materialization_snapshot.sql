{#-
    Slowly changing history. Beside dbt's strategies timestamp and check, which compare the rows of
    now with those of the last run, there is `change_log`, which takes each change of a log: see
    history. Nothing is staged in a permanent view, as dbt-spark's own does: not every catalog has
    views, and that one is in its own way at the second run.

    A full refresh recomputes a change_log snapshot from the log, as a new snapshot of the same
    table. Of the other strategies the table is the only memory; it is never recomputed.
-#}
{% materialization snapshot, adapter='spark' %}
    {%- set exists = spark_iceberg.table_exists(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set of_log = config.get('strategy') == 'change_log' -%}
    {%- set is_still = of_log and not should_full_refresh() and not spark_iceberg.has_new_rows() -%}
    {#- A run with --empty sees no row, which does not say that all are gone. -#}
    {%- if exists and (is_still or flags.EMPTY) -%}
        {{ return(spark_iceberg.leave_alone(target)) }}
    {%- endif -%}
    {{ run_hooks(pre_hooks) }}
    {#- It may end with a comment, and goes into brackets. -#}
    {%- set query = compiled_code ~ '\n' -%}
    {%- if of_log and (not exists or should_full_refresh()) -%}
        {%- set given = spark_iceberg.columns_of_query(query) -%}
        {%- do spark_iceberg.build_table(
            target,
            spark_iceberg.history(query, given | map(attribute='quoted') | list),
            exists,
            spark_iceberg.history_columns(given),
        ) -%}
    {%- elif of_log -%}
        {%- do spark_iceberg.merge_history(target, query) -%}
    {%- else -%}
        {%- set strategy = strategy_dispatch(config.get('strategy'))(
            model, 'snapshotted_data', 'source_data', model['config'], exists
        ) -%}
        {#- Versions begin and end at moments, though the source may know days alone. -#}
        {%- do strategy.update({'updated_at': 'cast(' ~ strategy.updated_at ~ ' as timestamp)'}) -%}
        {#- As one text, in which nulls are equal: dbt would write a row whose key is null again at
            each run. -#}
        {%- set keys = spark_iceberg.list(config.get('unique_key')) -%}
        {%- do strategy.update({'unique_key': 'to_json(struct(' ~ keys | join(', ') ~ '))'}) -%}
        {%- if not exists -%}
            {%- do spark_iceberg.build_table(
                target, build_snapshot_table(strategy, query), exists
            ) -%}
        {%- else -%}
            {%- set columns = config.get('snapshot_table_column_names')
                or get_snapshot_table_column_names() -%}
            {%- do adapter.assert_valid_snapshot_target_given_strategy(target, columns, strategy) -%}
            {%- set staged = snapshot_staging_table(strategy, query, target) -%}
            {%- set listed = spark_iceberg.listed_table(target) -%}
            {%- set given = spark_iceberg.columns_of_query(staged) -%}
            {%- set standing = spark_iceberg.fit_columns(target, listed.columns, given) -%}
            {%- do spark_iceberg.add_columns(
                target, standing, given, spark_iceberg.snapshot_helpers()
            ) -%}
            {%- call statement('main') -%}
                {{ snapshot_merge_sql(target, '(' ~ staged ~ ')', []) }}
            {%- endcall -%}
            {%- do spark_iceberg.update_comments(target, listed, standing) -%}
        {%- endif -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
