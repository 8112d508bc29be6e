{#- The first build of `apply_changes`, and a full refresh: the latest record of each key. -#}
{% macro get_initial_apply_changes_sql(compiled_code) -%}
    {%- set source = spark_iceberg.temporary_view(this, compiled_code, '__dbt_changes') -%}
    {%- set columns = [] -%}
    {%- for column in adapter.get_columns_in_relation(source)
        if column.name != config.get('truncated_flag') -%}
        {%- do columns.append(column.quoted) -%}
    {%- endfor -%}
    {{ return(spark_iceberg.latest_changes(source, columns)) }}
{%- endmacro %}
