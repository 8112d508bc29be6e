{#-
    The model of this project whose as-of dates follow from what becomes known, by its config
    `as_of_dates`; none while dbt only parses.
-#}
{% macro features_node() -%}
    {%- for node in graph.get('nodes', {}).values()
        if node.resource_type == 'model' and node.config.get('as_of_dates') -%}
        {{ return(node) }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
