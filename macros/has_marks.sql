{#- Whether this run adds to a table: false at its first build and at a full refresh. -#}
{% macro has_marks(node) -%}
    {{ return(node in scope().get('marks', {})) }}
{%- endmacro %}
