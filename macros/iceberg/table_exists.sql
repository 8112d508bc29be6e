{#- Whether a table stands at a relation; a view, which is replaced, does not count. -#}
{% macro table_exists(relation) -%}
    {%- set standing = load_relation(relation) -%}
    {{ return(standing is not none and standing.type == 'table') }}
{%- endmacro %}
