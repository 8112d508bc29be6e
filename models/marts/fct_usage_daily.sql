{{
    config(
        materialized='incremental',
        incremental_strategy='upsert',
        new_rows_of=['usage.events'],
        unique_key=['usage_date', 'customer_id'],
        prune_by='usage_date',
        partition_by=['usage_date'],
        sort_by=['customer_id'],
        deleted_flag='is_emptied',
    )
}}

with usage as (

    select * from {{ ref('int_usage_daily') }}
    where {{ in_new_dates('usage_date') }}

),

daily as (

    select
        -- ids
        customer_id,
        usage_date,

        -- numerics
        sum(events) as events,
        sum(voice_calls) as voice_calls,
        sum(call_seconds) as call_seconds,
        sum(text_messages) as text_messages,
        sum(data_sessions) as data_sessions,
        sum(data_bytes) as data_bytes,
        cast(sum(charges) as decimal(18, 4)) as charges,
        sum(roaming_events) as roaming_events,

        -- timestamps
        min(known_on) as first_known_on,
        max(known_on) as last_known_on,

        -- where the rows came from
        max(_batch) as _batch,
        sum(events) = 0 as is_emptied
    from usage
    group by customer_id, usage_date
    having {{ any_of([in_new_batches(column='max(_batch)'), in_backfill('usage_date')]) }}

)

select * from daily
