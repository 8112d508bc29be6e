{#- Each raw event once: trimmed, canonical, typed, with the reasons why it cannot be used. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['usage.events'],
        partition_by=['usage_date'],
    )
}}
{% set texts = [
    'event_id', 'customer_id', 'event_type', 'started_at', 'duration_seconds', 'bytes', 'charge',
    'roaming', 'region', 'cell', 'emitted_at',
] %}
{% set mapped = {
    'event_type': 'event_type',
    'roaming': 'yes_no',
    'region': 'region',
} %}
{% set typed = {
    'started_at': 'timestamp',
    'duration_seconds': 'int',
    'bytes': 'bigint',
    'charge': 'decimal(14, 4)',
    'emitted_at': 'timestamp',
} %}
{% set required = ['event_id', 'customer_id', 'event_type', 'started_at', 'emitted_at'] %}
{% set rules = {
    'event_id_malformed': is_malformed_key('event_id'),
    'customer_id_malformed': is_malformed_key('customer_id'),
    'duration_seconds_negative': 'duration_seconds_value < 0',
    'bytes_negative': 'bytes_value < 0',
    'charge_negative': 'charge_value < 0',
} %}

with source as (

    select * from {{ source('raw', 'usage_events') }}
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
        event_id,
        customer_id,

        -- texts
        event_type_value as event_type,
        region_value as region,
        cell,

        -- numerics
        duration_seconds_value as duration_seconds,
        bytes_value as bytes,
        charge_value as charge,

        -- booleans
        cast(roaming_value as boolean) as is_roaming,

        -- timestamps
        started_at_value as started_at,
        cast(started_at_value as date) as usage_date,
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
