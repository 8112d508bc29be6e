{#- Whether a column holds text that is not of the type: never true for a null. -#}
{% macro is_not_castable(column, type) -%}
    ({{ column }} is not null and try_cast({{ column }} as {{ type }}) is null)
{%- endmacro %}
