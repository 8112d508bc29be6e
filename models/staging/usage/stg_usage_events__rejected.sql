{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['usage.events'],
    )
}}

with cleaned as (

    select * from {{ ref('base_usage_events') }}

),

rejected as (

    select
        event_id,
        reject_reasons,
        _source_file,
        _source_row,
        _landed_at,
        _batch
    from cleaned
    where is_rejected and {{ in_new_batches() }}

)

select * from rejected
