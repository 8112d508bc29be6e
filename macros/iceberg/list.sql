{#- A setting that is one name or a list of them, as a list. -#}
{% macro list(names) -%}
    {{ return([names] if names is string else names) }}
{%- endmacro %}
