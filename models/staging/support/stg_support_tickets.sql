{{ config(materialized='ephemeral') }}

with cleaned as (

    select * from {{ ref('base_support_tickets') }}

),

accepted as (

    select
        -- ids
        ticket_id,
        customer_id,

        -- texts
        category,
        priority,

        -- numerics
        satisfaction,

        -- timestamps
        opened_at,
        opened_on,
        closed_at,
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
