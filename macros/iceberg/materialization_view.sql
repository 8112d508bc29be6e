{#-
    A view where the catalog has views; else a table of its rows, which every engine can read. The
    variable `iceberg_catalog_has_views` says which; not every REST catalog has them, and engines
    do not read each other's. Where the variable has changed, or the model was a table, what stands
    there under its name goes, with its history.
-#}
{% materialization view, adapter='spark' %}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks) }}
    {%- set rows = spark_iceberg.checked_query(compiled_code) -%}
    {%- if var('iceberg_catalog_has_views', false) -%}
        {%- if spark_iceberg.table_exists(this) -%}
            {#- Not before it is seen that the query can be run. -#}
            {%- do spark_iceberg.columns_of_query(rows) -%}
            {%- do run_query('drop table if exists ' ~ this ~ ' purge') -%}
        {%- endif -%}
        {%- call statement('main') -%}
            {{ get_create_view_as_sql(target, rows) }}
        {%- endcall -%}
    {%- else -%}
        {%- set target = this.incorporate(type='table') -%}
        {%- do spark_iceberg.build_table(target, rows, spark_iceberg.table_exists(this)) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
