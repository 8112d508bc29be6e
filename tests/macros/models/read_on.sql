{{ config(materialized='incremental', incremental_strategy='append') }}

select
    *,
    {{ last_batch() }} as last_batch,
    {{ takes_in_news() | lower }} as is_news
from {{ ref('taken_in') }}
where {{ new_batches(relation=ref('taken_in')) }}
