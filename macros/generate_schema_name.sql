{#-
    The schema of a node is its layer (staging, marts, …), the same on every target, so that a query
    written against one works against all. The ci target alone puts its run in front of it.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set layer = (custom_schema_name or target.schema) | trim -%}
    {%- if target.name == 'ci' and custom_schema_name -%}
        {{ target.schema }}_{{ layer }}
    {%- else -%}
        {{ layer }}
    {%- endif -%}
{%- endmacro %}
