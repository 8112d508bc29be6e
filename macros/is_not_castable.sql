{#- Whether a column holds text that is not of the type: never true for a null. -#}
{% macro is_not_castable(column, type) -%}
    ({{ column }} is not null and {{ parsed(column, type) }} is null)
{%- endmacro %}
