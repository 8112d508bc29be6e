{#-
    Every version of every ticket, opened and closed, each once however often it was delivered; and
    where tickets that have moved no longer stand.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='apply_changes',
        new_rows_of=['support.tickets'],
        unique_key=['ticket_id', 'opened_on', 'emitted_at'],
        sequence_by=['_precedence', '_source_file', '_source_row'],
        partition_by=['months(opened_on)'],
    )
}}

with tickets as (

    select * from {{ ref('stg_support_tickets') }}
    where {{ in_new_batches() }}

),

versions as (

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

        -- booleans
        false as is_moved,

        -- where the row came from: of the copies of a version the one that landed first
        delivered_on as known_on,
        -_batch as _precedence,
        _source_file,
        _source_row,
        _batch
    from tickets

),

moved as (

    select
        ticket_id,
        null as customer_id,
        null as category,
        null as priority,
        null as satisfaction,
        null as opened_at,
        opened_on,
        null as closed_at,
        emitted_at,
        true as is_moved,
        delivered_on as known_on,
        -_version_batch as _precedence,
        _source_file,
        _source_row,
        _batch
    from {{ ref('int_support_tickets__moved') }}
    where ticket_id is not null and {{ in_new_batches() }}

),

all_versions as (

    select * from versions
    union all
    select * from moved

),

final as (

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

        -- booleans
        is_moved,

        -- where the row came from: of the copies of a version the one that landed first
        known_on,
        _precedence,
        _source_file,
        _source_row,
        _batch
    from all_versions

)

select * from final
