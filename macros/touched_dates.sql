{#-
    The condition of the partitions that this run computes again: those of the dates that new
    batches name, and of a backfill; all of them at the first build and at a full refresh.

    relation: the table that new rows are in. column: its date, and that of the rows that are read.
-#}
{% macro touched_dates(relation, column) -%}
    {{ return(any_of([in_new_dates(relation, column, last_batch()), in_backfill(column)])) }}
{%- endmacro %}
