{#-
    Add to a table the columns that a query returns and the table lacks; returns the columns added.

    standing: the table's columns. given: those of the query. but: names in lower case to leave out.
-#}
{% macro add_columns(target, standing, given, but=[]) -%}
    {%- set known = standing | map(attribute='name') | map('lower') | list + but -%}
    {%- set gained, definitions = [], [] -%}
    {%- for column in given if column.name | lower not in known -%}
        {%- do gained.append(column) -%}
        {%- do definitions.append(column.quoted ~ ' ' ~ column.dtype) -%}
    {%- endfor -%}
    {%- if gained -%}
        {%- do run_query('alter table ' ~ target ~ ' add columns (' ~ definitions | join(', ') ~ ')') -%}
    {%- endif -%}
    {{ return(gained) }}
{%- endmacro %}
