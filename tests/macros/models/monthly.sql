{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        partition_by=['months(happened_on)'],
    )
}}

select
    happened_on,
    _batch
from {{ ref('taken_in') }}
where {{ new_batches(relation=ref('taken_in')) }}
