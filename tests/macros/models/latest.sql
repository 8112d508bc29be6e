{#- Merged into the partitions that new batches name alone. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='upsert',
        unique_key=['happened_on'],
        partition_by=['happened_on'],
        prune_by='happened_on',
        new_rows_of=['crm.customers'],
    )
}}

select
    max(event_id) as event_id,
    happened_on,
    max(_batch) as _batch
from {{ ref('taken_in') }}
where {{ any_of([in_new_batches(), in_backfill('happened_on')]) }}
group by happened_on
