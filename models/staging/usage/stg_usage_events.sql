{{ config(materialized='ephemeral') }}

with cleaned as (

    select * from {{ ref('base_usage_events') }}

),

accepted as (

    select
        -- ids
        event_id,
        customer_id,

        -- texts
        event_type,
        region,
        cell,

        -- numerics
        duration_seconds,
        bytes,
        charge,

        -- booleans
        is_roaming,

        -- timestamps
        started_at,
        usage_date,
        emitted_at,

        -- where the row came from
        delivered_on,
        _source_file,
        _source_row,
        _batch
    from cleaned
    where not is_rejected

)

select * from accepted
