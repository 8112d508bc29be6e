{#-
    The table of a node where this run adds to it; none where it does not exist yet, or is rebuilt.
-#}
{% macro standing_relation(node) -%}
    {%- set full_refresh = node.config.get('full_refresh') -%}
    {%- if (flags.FULL_REFRESH if full_refresh is none else full_refresh)
        and node.unique_id in selected_resources -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(relation_of(node)) }}
{%- endmacro %}
