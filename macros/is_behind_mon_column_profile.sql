{#- Whether a table that mon_column_profile reads has grown since it was profiled. -#}
{% macro is_behind_mon_column_profile(node) -%}
    {%- for unique_id in node.depends_on.nodes if has_grown(graph.nodes[unique_id], node) -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}
