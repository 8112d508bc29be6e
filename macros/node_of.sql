{#- The node of a table in dbt's graph, by its name; none where there is none, or nothing runs. -#}
{% macro node_of(relation) -%}
    {%- for node in (graph.nodes.values() if execute else [])
        if node.resource_type in ['model', 'snapshot', 'seed']
        and node.schema == relation.schema and node.alias == relation.identifier -%}
        {{ return(node) }}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
