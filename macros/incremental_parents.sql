{#- The tables that a node reads and that say what they take in, through ephemeral models too. -#}
{% macro incremental_parents(node) -%}
    {%- set found = [] -%}
    {%- for unique_id in node.depends_on.nodes if unique_id in graph.nodes -%}
        {%- set parent = graph.nodes[unique_id] -%}
        {%- if parent.config.materialized == 'ephemeral' -%}
            {%- do found.extend(incremental_parents(parent)) -%}
        {%- elif sources_of(parent) -%}
            {%- do found.append(parent) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
