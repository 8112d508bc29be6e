{#- Every version of every ticket, opened and closed, each once however often it was delivered. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='apply_changes',
        new_rows_of=['support.tickets'],
        unique_key=['ticket_id', 'emitted_at'],
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

        -- where the row came from: of the copies of a version the one that landed first
        delivered_on as known_on,
        -_batch as _precedence,
        _source_file,
        _source_row,
        _batch
    from tickets

)

select * from versions
