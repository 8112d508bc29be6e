{#-
    A query of the batches that mon_reconciliation has still to reconcile as a part of the scope of a
    run: by source and raw table the moment at which the first of them landed.

    landed_batches: the table of batches. reconciled: that of mon_reconciliation; none at its first
    build and at a full refresh.
-#}
{% macro unreconciled_query(landed_batches, reconciled) -%}
    select
        'unreconciled' as node,
        concat(batches.source_name, ' ', batches.raw_table) as part,
        cast(min(batches.landed_at) as string) as mark
    from {{ landed_batches }} as batches
    {%- if reconciled %}
    left anti join {{ reconciled }} as known
        on
            batches.source_name = known.source_name
            and batches.batch = known.batch
            and known.is_reconciled
    {%- endif %}
    group by batches.source_name, batches.raw_table
{%- endmacro %}
