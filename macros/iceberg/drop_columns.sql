{#-
    Drop the columns of a table that a query does not return. A schema belongs to all branches of the
    table; files keep the values until they are written anew. Returns the columns that are left.
-#}
{% macro drop_columns(target, standing, given) -%}
    {%- set names = given | map(attribute='name') | map('lower') | list -%}
    {%- set kept, lost = [], [] -%}
    {%- for column in standing -%}
        {%- do (kept if column.name | lower in names else lost).append(column) -%}
    {%- endfor -%}
    {%- if lost -%}
        {%- do run_query(
            'alter table ' ~ target ~ ' drop columns (' ~ lost | map(attribute='quoted') | join(', ')
            ~ ')'
        ) -%}
    {%- endif -%}
    {{ return(kept) }}
{%- endmacro %}
