{#- Whether a model of this run reads a node. -#}
{% macro is_read(node) -%}
    {%- for unique_id in selected_resources if unique_id in graph.nodes
        and graph.nodes[unique_id].resource_type == 'model'
        and node.unique_id in graph.nodes[unique_id].depends_on.nodes -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}
