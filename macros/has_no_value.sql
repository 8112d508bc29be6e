{#- Whether a column holds text that has no value, by its type or the seed canonical_values. -#}
{% macro has_no_value(column) -%}
    ({{ column }} is not null and {{ column }}_value is null)
{%- endmacro %}
