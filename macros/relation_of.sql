{#-
    The table of a node or of a source of dbt's graph, if it is there; with `--defer` that of the
    state where this run does not build its own. Hooks find tables by it: dbt wants the `ref` of a
    hook to be known before it runs.
-#}
{% macro relation_of(node) -%}
    {%- set relation = adapter.get_relation(
        database=node.database, schema=node.schema, identifier=node.alias or node.identifier
    ) -%}
    {%- set deferred = node.get('defer_relation') -%}
    {%- if not relation and deferred and node.unique_id not in selected_resources -%}
        {%- set relation = adapter.get_relation(
            database=deferred.database, schema=deferred.schema, identifier=deferred.alias
        ) -%}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}
