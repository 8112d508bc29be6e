{#-
    A query of how far a table has taken in its sources: the highest batch in its files, by Iceberg's
    metadata. A table that takes merges would be read whole for it otherwise. A row that was deleted
    since still counts, until its file is rewritten.

    relation: the table. node: of it; its config `new_rows_of` names the sources, and where the table
    keeps one column for each, these: a list, or a dict of columns by source. Of a base table, too,
    the last batch with a rejected row, as the part `rejected`.
-#}
{% macro marks_by_batch(relation, node) -%}
    {%- set sources = node.config.new_rows_of -%}
    {%- set marks = {} -%}
    {%- for source_name in sources -%}
        {%- set column = sources[source_name] if sources is mapping else '_batch' -%}
        {%- do marks.update({source_name: 'max(readable_metrics.' ~ column ~ '.upper_bound)'}) -%}
    {%- endfor -%}
    {%- if 'is_rejected' in node.columns -%}
        {%- do marks.update({
            'rejected': 'max(readable_metrics._batch.upper_bound) filter (where '
            ~ 'readable_metrics.is_rejected.upper_bound)'
        }) -%}
    {%- endif -%}
    {{ return(marks_of_files(relation, marks)) }}
{%- endmacro %}
