{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key=['part', 'id'],
    )
}}

select
    nullif(id, 2) as id,
    '{{ var("colour") }}' as colour,
    id % 2 as part
from range({{ var('batches') }})
where id >= {{ var('batches') }} - 2
