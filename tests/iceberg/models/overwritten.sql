{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['batch'],
    )
}}

select
    '{{ var("colour") }}' as colour,
    id as batch
from range({{ var('batches') }})
where id >= {{ var('batches') }} - 2
