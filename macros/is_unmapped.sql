{#- Whether a column holds something that the seed canonical_values does not know. -#}
{% macro is_unmapped(column, domain) -%}
    ({{ column }} is not null and {{ canonical(column, domain) }} is null)
{%- endmacro %}
