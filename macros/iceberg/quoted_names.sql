{#-
    The quoted names of the columns that a table has and a query returns. A column that only the
    table has stays null in new rows.

    standing: the table's columns. given: those of the query. but: names in lower case to leave out.
-#}
{% macro quoted_names(standing, given, but=[]) -%}
    {%- set names = given | map(attribute='name') | map('lower') | list -%}
    {%- set columns = [] -%}
    {%- for column in standing if column.name | lower in names and column.name | lower not in but -%}
        {%- do columns.append(column.quoted) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
