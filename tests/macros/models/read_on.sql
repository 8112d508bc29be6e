{#- The base model of another source, which says what it knew. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['usage.events'],
        post_hook='{{ find_dates() }}',
    )
}}

select
    *,
    {{ last_batch(model.unique_id, 'usage.events') }} as last_batch,
    {{ adds_rows() | lower }} as adds_rows
from {{ ref('taken_in') }}
where {{ in_new_batches() }}
