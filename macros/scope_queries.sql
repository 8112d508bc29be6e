{#-
    The queries whose rows are the scope of a run: whose it is (the unique id of a table, or a key of
    the scope), which part of it, and how far that has got, as text.
-#}
{% macro scope_queries() -%}
    {%- set queries, tables = [], {} -%}
    {%- for node in nodes_in_scope() -%}
        {%- set relation = standing_relation(node) -%}
        {%- do tables.update({node.name: relation}) -%}
        {%- if relation -%}
            {#- A table without rows has no marks, but it is there. -#}
            {%- do scope().marks.update({node.unique_id: {}}) -%}
            {%- do queries.append(
                "select '" ~ node.unique_id ~ "' as node, part, cast(mark as string) as mark from ("
                ~ marks_of(relation, node) ~ ')'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set landed_batches = node_named('mon_landed_batches') -%}
    {%- set landed_batches = relation_of(landed_batches) if landed_batches and tables else none -%}
    {%- if landed_batches -%}
        {%- do queries.append(
            "select 'landed' as node, source_name as part, cast(max(batch) as string) as mark from "
            ~ landed_batches ~ ' group by source_name'
        ) -%}
    {%- endif -%}
    {%- if landed_batches and 'mon_reconciliation' in tables -%}
        {%- do queries.append(
            unreconciled_query(landed_batches, tables['mon_reconciliation'])
        ) -%}
    {%- endif -%}
    {%- set thresholds = node_named('winsor_thresholds') -%}
    {%- if thresholds and is_read(thresholds) and relation_of(thresholds) -%}
        {%- do queries.append(thresholds_query(relation_of(thresholds))) -%}
    {%- endif -%}
    {{ return(queries) }}
{%- endmacro %}
