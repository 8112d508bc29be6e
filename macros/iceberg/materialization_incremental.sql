{#-
    A table that takes in what its query gives. --full-refresh replaces its rows as a new snapshot
    of the same table, where dbt-spark's own drops the table with its history.

    A strategy is a macro `get_incremental_<strategy>_sql`, as dbt calls it, given the names
    target_relation, temp_relation (a temporary view of the query), unique_key, dest_columns (quoted
    names) and incremental_predicates. Beside dbt's append, merge, insert_overwrite and microbatch
    there are apply_changes and upsert here; a project may add its own. A strategy that does more
    than to add rows has a macro `get_initial_<strategy>_sql` for its first build, given the query.

    A query that has found out that there is nothing new says so by `nothing_new()`; then nothing is
    run, hooks included.
-#}
{% materialization incremental, adapter='spark' %}
    {%- set strategy = config.get('incremental_strategy') or 'append' -%}
    {%- set on_schema_change = incremental_validate_on_schema_change(
        config.get('on_schema_change'), default='ignore'
    ) -%}
    {%- set existing = load_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- if existing and not should_full_refresh()
        and spark_iceberg.nothing_new() in compiled_code -%}
        {{ return(spark_iceberg.leave_alone(target)) }}
    {%- endif -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is none -%}
        {%- do spark_iceberg.create_table(target, spark_iceberg.initial_sql(strategy, compiled_code)) -%}
    {%- elif should_full_refresh() -%}
        {%- do spark_iceberg.replace_rows(target, spark_iceberg.initial_sql(strategy, compiled_code)) -%}
    {%- else -%}
        {%- set source = spark_iceberg.temporary_view(target, compiled_code) -%}
        {%- set given = adapter.get_columns_in_relation(source) -%}
        {%- if on_schema_change == 'append_new_columns' -%}
            {%- set standing = adapter.get_columns_in_relation(target) -%}
            {%- set standing = standing + spark_iceberg.add_columns(
                target, standing, given,
                [config.get('deleted_flag'), config.get('truncated_flag')]
                if strategy == 'upsert' else [config.get('truncated_flag')],
            ) -%}
        {%- else -%}
            {%- do process_schema_changes(on_schema_change, source, target) -%}
            {%- set standing = adapter.get_columns_in_relation(target) -%}
        {%- endif -%}
        {%- set arguments = {
            'target_relation': target,
            'temp_relation': source,
            'unique_key': config.get('unique_key'),
            'dest_columns': spark_iceberg.shared_columns(standing, given),
            'incremental_predicates':
                config.get('predicates') or config.get('incremental_predicates'),
        } -%}
        {%- call statement('main') -%}
            {{ spark_iceberg.strategy_sql(strategy, arguments) }}
        {%- endcall -%}
        {%- do spark_iceberg.drop_temporary_view(source) -%}
    {%- endif -%}
    {%- do persist_docs(target, model) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
