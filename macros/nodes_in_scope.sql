{#-
    The incremental tables that the scope of this run speaks of: those that are selected, those that
    they read, and the base tables of their sources.
-#}
{% macro nodes_in_scope() -%}
    {%- set wanted, sources = [], [] -%}
    {%- for unique_id in selected_resources if unique_id in graph.nodes -%}
        {%- set node = graph.nodes[unique_id] -%}
        {%- if node.resource_type in ['model', 'snapshot'] -%}
            {%- do wanted.append(unique_id) -%}
            {%- do wanted.extend(node.depends_on.nodes) -%}
            {%- do sources.extend(sources_of(node)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values() if is_in_scope(node) and (
        node.unique_id in wanted or node.name in base_tables(sources)
    ) -%}
        {%- do found.append(node) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
