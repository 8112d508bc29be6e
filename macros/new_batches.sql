{#-
    The condition of rows that this model has not taken in yet, by the number of their batch: all of
    them at the first build and at a full refresh. Batches are numbered as they land, and the tables
    of a source take them in that order, so the highest that a table holds says what it has seen.

    column: the batch's number in the rows that are read; the table keeps it under the same name.
    source_name: of a source, such as crm.customers, to take only batches that are loaded whole.
-#}
{% macro new_batches(column='_batch', source_name=none) -%}
    {{ column }} > {{ last_batch(column) }}
    {%- if source_name %}
        and {{ column }} <= (
            select coalesce(max(landed_batches.batch), 0)
            from {{ source('monitoring', 'mon_landed_batches') }} as landed_batches
            where landed_batches.source_name = '{{ source_name }}'
        )
    {%- endif -%}
{%- endmacro %}
