{#-
    The highest value of a column in a table's files, as a query of one value; null for an empty
    table. Read from Iceberg's metadata: a table that takes merges is else read whole for it, file
    by file. A row that was deleted since still counts, until its file is rewritten.

    snapshot: the id of the snapshot that is asked; the one that this run has unless told.
-#}
{% macro newest(relation, column='_batch', snapshot=none) -%}
    (
        select max(readable_metrics.{{ column }}.upper_bound)
        from {{ metadata_of(relation, 'files', snapshot) }}
        where content = 0
    )
{%- endmacro %}
