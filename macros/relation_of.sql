{#-
    The table of a node or of a source of dbt's graph, if it is there. Hooks find tables by it: dbt
    wants the `ref` of a hook to be known before it runs.
-#}
{% macro relation_of(node) -%}
    {{ return(adapter.get_relation(
        database=node.database, schema=node.schema, identifier=node.alias or node.identifier
    )) }}
{%- endmacro %}
