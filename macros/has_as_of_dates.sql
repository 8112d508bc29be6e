{#- Whether a table is built by as-of date: the features, and what is built from them. -#}
{% macro has_as_of_dates(node) -%}
    {{ return(node.name == 'int_customer_features' or node.config.get('dates_of') is not none) }}
{%- endmacro %}
