{#-
    The columns that a table has and that are given, quoted. What a table has beyond its query,
    since the query no longer gives it, is left null in new rows.

    standing: the table's columns. given: those of a query.
-#}
{% macro shared_columns(standing, given) -%}
    {%- set names = given | map(attribute='name') | map('lower') | list -%}
    {%- set columns = [] -%}
    {%- for column in standing if column.name | lower in names -%}
        {%- do columns.append(column.quoted) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
