{#-
    A table that takes in what its query returns. --full-refresh replaces its rows as a new snapshot
    of the same table, where dbt-spark's own drops the table with its history.

    A strategy is a macro `get_incremental_<strategy>_sql`, as dbt calls it, given the names
    target_relation, temp_relation (the query in brackets), unique_key, dest_columns (quoted names),
    incremental_predicates, and compiled_code. Beside dbt's append, merge, insert_overwrite and
    microbatch there are apply_changes and upsert here; a project may add its own. Where the model
    names none it is merge if there is a unique_key, as dbt has it, else append. A strategy that
    does more than to add rows has a macro `get_initial_<strategy>_sql` for its first build, given
    the query and its columns.

    A run with new rows asks Spark at most four statements: what the query returns, what the table
    has, and the write, for which a strategy may ask one more.
-#}
{% materialization incremental, adapter='spark' %}
    {%- set strategy = spark_iceberg.strategy_of_model() -%}
    {%- set on_schema_change = incremental_validate_on_schema_change(
        config.get('on_schema_change'), default='ignore'
    ) -%}
    {%- set exists = spark_iceberg.table_exists(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- if exists and not should_full_refresh() and not spark_iceberg.has_new_rows() -%}
        {{ return(spark_iceberg.leave_alone(target)) }}
    {%- endif -%}
    {{ run_hooks(pre_hooks) }}
    {%- set query = spark_iceberg.checked_query(compiled_code) -%}
    {%- if not exists or should_full_refresh() -%}
        {%- set rows = spark_iceberg.initial_rows(strategy, query) -%}
        {%- do spark_iceberg.build_table(target, rows.sql, exists, rows.columns) -%}
    {%- else -%}
        {%- set given = spark_iceberg.columns_of_query(query) -%}
        {%- if on_schema_change == 'fail' -%}
            {%- do spark_iceberg.change_schema(on_schema_change, target, query) -%}
        {%- endif -%}
        {%- set listed = spark_iceberg.listed_table(target) -%}
        {%- set standing = listed.columns -%}
        {%- if on_schema_change == 'sync_all_columns' -%}
            {%- set standing = spark_iceberg.drop_columns(target, standing, given) -%}
        {%- endif -%}
        {%- if on_schema_change in ['append_new_columns', 'sync_all_columns'] -%}
            {%- set flags_ = [config.get('truncated_flag')]
                + ([config.get('deleted_flag')] if strategy == 'upsert' else []) -%}
            {%- set standing = standing + spark_iceberg.add_columns(target, standing, given, flags_) -%}
        {%- endif -%}
        {%- set standing = spark_iceberg.fit_columns(target, standing, given) -%}
        {%- set arguments = {
            'target_relation': target,
            'temp_relation': '(' ~ query ~ ')',
            'unique_key': config.get('unique_key'),
            'dest_columns': spark_iceberg.quoted_names(standing, given),
            'incremental_predicates':
                config.get('predicates') or config.get('incremental_predicates'),
            'compiled_code': query,
        } -%}
        {%- call statement('main') -%}
            {{ spark_iceberg.strategy_sql(strategy, arguments) }}
        {%- endcall -%}
        {%- do spark_iceberg.update_comments(target, listed, standing) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
