{#-
    The columns that a table and a view both have, quoted. What a table has beyond its query, since
    the query no longer gives it, is left null in new rows.
-#}
{% macro shared_columns(target, view) -%}
    {%- set given =
        adapter.get_columns_in_relation(view) | map(attribute='name') | map('lower') | list -%}
    {%- set columns = [] -%}
    {%- for column in adapter.get_columns_in_relation(target) if column.name | lower in given -%}
        {%- do columns.append(column.quoted) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
