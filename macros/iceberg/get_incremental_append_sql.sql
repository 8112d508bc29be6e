{#- The incremental strategy `append`: the rows are added. -#}
{% macro get_incremental_append_sql(arguments) -%}
    {%- set columns = arguments.dest_columns | join(', ') -%}
    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}
