{#-
    Slowly changing history. Beside dbt's strategies timestamp and check, which compare the rows of
    now with those of the last run, there is `change_log`, which takes each change of a log: see
    history. Staged in a temporary view: not every catalog has others, and dbt-spark's
    permanent one is in its own way at the second run.

    A full refresh makes a change_log snapshot anew from the log, as a new snapshot of the same
    table. Of the other strategies the table is the only memory; it is never made anew.
-#}
{% materialization snapshot, adapter='spark' %}
    {%- set existing = load_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- if existing and config.get('strategy') == 'change_log' and not should_full_refresh()
        and spark_iceberg.nothing_new() in compiled_code -%}
        {{ return(spark_iceberg.leave_alone(target)) }}
    {%- endif -%}
    {{ run_hooks(pre_hooks) }}
    {%- if config.get('strategy') == 'change_log' -%}
        {%- if existing is none -%}
            {%- do spark_iceberg.create_table(target, spark_iceberg.history(compiled_code)) -%}
        {%- elif should_full_refresh() -%}
            {%- do spark_iceberg.replace_rows(target, spark_iceberg.history(compiled_code)) -%}
        {%- else -%}
            {%- do spark_iceberg.merge_history(target, compiled_code) -%}
        {%- endif -%}
    {%- else -%}
        {%- set strategy = strategy_dispatch(config.get('strategy'))(
            model, 'snapshotted_data', 'source_data', model['config'], existing is not none
        ) -%}
        {%- if existing is none -%}
            {%- do spark_iceberg.create_table(target, build_snapshot_table(strategy, compiled_code)) -%}
        {%- else -%}
            {%- set columns = config.get('snapshot_table_column_names')
                or get_snapshot_table_column_names() -%}
            {%- do adapter.assert_valid_snapshot_target_given_strategy(target, columns, strategy) -%}
            {%- set staged = spark_iceberg.temporary_view(
                target, snapshot_staging_table(strategy, compiled_code, target)
            ) -%}
            {%- do spark_iceberg.add_columns(
                target,
                adapter.get_columns_in_relation(target),
                adapter.get_columns_in_relation(staged),
                spark_iceberg.snapshot_helpers(),
            ) -%}
            {%- call statement('main') -%}
                {{ snapshot_merge_sql(target, staged, []) }}
            {%- endcall -%}
            {%- do spark_iceberg.drop_temporary_view(staged) -%}
        {%- endif -%}
    {%- endif -%}
    {%- do persist_docs(target, model) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
