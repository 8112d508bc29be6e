{{
    config(
        materialized='incremental',
        incremental_strategy='upsert',
        new_rows_of=['support.tickets'],
        unique_key=['ticket_id'],
        partition_by=['months(opened_on)'],
        sort_by=['customer_id'],
    )
}}

with versions as (

    select * from {{ ref('int_support_tickets__versions') }}

),

touched as (

    select distinct ticket_id
    from versions
    where {{ any_of([in_new_batches(), in_backfill('opened_on')]) }}

),

touched_versions as (

    select versions.*
    from versions
    left semi join touched on versions.ticket_id = touched.ticket_id

),

ranked as (

    select
        *,
        {{ latest_by(['ticket_id'], ['emitted_at', 'not is_moved']) }} as recency
    from touched_versions

),

latest as (

    select
        -- ids
        ticket_id,
        customer_id,

        -- texts
        category,
        priority,

        -- numerics
        satisfaction,
        cast(
            (unix_seconds(closed_at) - unix_seconds(opened_at)) / 3600 as decimal(10, 2)
        ) as hours_to_close,

        -- booleans
        closed_at is null as is_open,

        -- timestamps
        opened_at,
        opened_on,
        closed_at,
        emitted_at,

        -- where the row came from
        known_on,
        _batch
    from ranked
    where recency = 1 and not is_moved

)

select * from latest
