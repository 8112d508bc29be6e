{#- Whether a table is built by as-of date: the features, and what is built from them. -#}
{% macro has_as_of_dates(node) -%}
    {{ return((node.config.get('as_of_dates') or node.config.get('dates_of')) is not none) }}
{%- endmacro %}
