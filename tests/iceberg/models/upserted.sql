{{
    config(
        materialized='incremental',
        incremental_strategy='upsert',
        unique_key=['part', 'id'],
        prune_by='part',
        deleted_flag='is_gone',
        partition_by=['part'],
    )
}}

select
    if(id = 3, null, id) as id,
    '{{ var("colour") }}' as colour,
    id % 2 as part,
    id = 5 and {{ var('batches') }} > 7 as is_gone
from range({{ var('batches') }})
