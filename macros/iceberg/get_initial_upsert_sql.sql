{#- The first build of `upsert`, and a full refresh: the rows that are not deleted. -#}
{% macro get_initial_upsert_sql(compiled_code) -%}
    {%- set deleted = config.get('deleted_flag') -%}
    {%- if not deleted -%}
        {{ return(compiled_code) }}
    {%- endif -%}
    {%- set source = spark_iceberg.temporary_view(this, compiled_code, '__dbt_changes') -%}
    {%- set columns = [] -%}
    {%- for column in adapter.get_columns_in_relation(source) if column.name != deleted -%}
        {%- do columns.append(column.quoted) -%}
    {%- endfor -%}
    {{ return('select ' ~ columns | join(', ') ~ ' from ' ~ source ~ ' where not ' ~ deleted) }}
{%- endmacro %}
