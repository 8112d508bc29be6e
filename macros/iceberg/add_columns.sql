{#-
    Add to a table the columns that are given and that it lacks, but for some; returns those added.

    standing: the table's columns. given: those of a query. but: names in lower case.
-#}
{% macro add_columns(target, standing, given, but=[]) -%}
    {%- set known = standing | map(attribute='name') | map('lower') | list + but -%}
    {%- set gained = [] -%}
    {%- for column in given if column.name | lower not in known -%}
        {%- do gained.append(column) -%}
    {%- endfor -%}
    {%- do create_columns(target, gained) -%}
    {{ return(gained) }}
{%- endmacro %}
