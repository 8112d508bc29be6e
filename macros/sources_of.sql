{#- The sources whose batches a node takes in, by its config `new_rows_of`; none for others. -#}
{% macro sources_of(node) -%}
    {{ return((node.config.get('new_rows_of') or []) | list) }}
{%- endmacro %}
