{#- Each raw ticket row once: trimmed, canonical, typed, with why it cannot be used. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['support.tickets'],
        partition_by=['months(opened_on)'],
    )
}}
{% set texts = [
    'ticket_id', 'customer_id', 'opened_at', 'closed_at', 'category', 'priority', 'satisfaction',
    'emitted_at',
] %}
{% set mapped = {
    'category': 'ticket_category',
    'priority': 'ticket_priority',
} %}
{% set typed = {
    'opened_at': 'timestamp',
    'closed_at': 'timestamp',
    'satisfaction': 'int',
    'emitted_at': 'timestamp',
} %}
{% set required = ['ticket_id', 'customer_id', 'opened_at', 'category', 'emitted_at'] %}
{% set rules = {
    'ticket_id_malformed': is_malformed_key('ticket_id'),
    'customer_id_malformed': is_malformed_key('customer_id'),
    'satisfaction_below_1': 'satisfaction_value < 1',
} %}

with source as (

    select * from {{ source('raw', 'support_tickets') }}
    where {{ in_new_batches() }}

),

trimmed as (

    select
        {% for column in texts -%}
            {{ blank_to_null(column) }} as {{ column }},
        {% endfor -%}
        _source_file,
        _source_row,
        _delivered_at,
        _landed_at,
        _batch,
        {{ canonical_map() }} as canonical_map
    from source

),

valued as (

    select
        *,
        {{ values_of(mapped, typed) }}
    from trimmed

),

judged as (

    select
        *,
        {{ reject_reasons(required, mapped, typed, rules) }} as reject_reasons
    from valued

),

renamed as (

    select
        -- ids
        ticket_id,
        customer_id,

        -- texts
        category_value as category,
        priority_value as priority,

        -- numerics
        satisfaction_value as satisfaction,

        -- timestamps
        opened_at_value as opened_at,
        cast(opened_at_value as date) as opened_on,
        closed_at_value as closed_at,
        emitted_at_value as emitted_at,

        -- where the row came from
        cast(_delivered_at as date) as delivered_on,
        _source_file,
        _source_row,
        _delivered_at,
        _landed_at,
        _batch,
        reject_reasons,
        size(reject_reasons) > 0 as is_rejected
    from judged

)

select * from renamed
