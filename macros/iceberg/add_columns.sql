{#- Add to a table the columns that a view has and it lacks, but for some; returns those added. -#}
{% macro add_columns(target, view, but=[]) -%}
    {%- set standing =
        adapter.get_columns_in_relation(target) | map(attribute='name') | map('lower') | list -%}
    {%- set gained = [] -%}
    {%- for column in adapter.get_columns_in_relation(view)
        if column.name | lower not in standing + but -%}
        {%- do gained.append(column) -%}
    {%- endfor -%}
    {%- do create_columns(target, gained) -%}
    {{ return(gained) }}
{%- endmacro %}
