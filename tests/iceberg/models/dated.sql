{{
    config(
        materialized='incremental',
        incremental_strategy='upsert',
        unique_key=['day', 'id'],
        prune_by='day',
        partition_by=['day'],
    )
}}

select
    id,
    '{{ var("colour") }}' as colour,
    date_add(date '2024-01-01', cast(id as int)) as day
from range({{ var('first', 0) }}, {{ var('batches') }})
