{#- Whether a node says what it takes in, by its config `new_rows_of` or `dates_of`. -#}
{% macro is_in_scope(node) -%}
    {{ return(sources_of(node) | length > 0 or node.config.get('dates_of') is not none) }}
{%- endmacro %}
