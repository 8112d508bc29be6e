{#-
    The model, snapshot, seed or source table of a name in dbt's graph; none where there is none, and
    while dbt only parses.
-#}
{% macro node_named(name) -%}
    {%- set nodes = graph.get('nodes', {}).values() | list -%}
    {%- for node in nodes + graph.get('sources', {}).values() | list
        if node.name == name and node.resource_type in ['model', 'snapshot', 'seed', 'source'] -%}
        {{ return(node) }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
