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
    'duration_seconds_negative': 'try_cast(duration_seconds as int) < 0',
    'bytes_negative': 'try_cast(bytes as bigint) < 0',
    'charge_negative': 'try_cast(charge as decimal(14, 4)) < 0',
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

judged as (

    select
        *,
        {{ reject_reasons(required, mapped, typed, rules) }} as reject_reasons
    from trimmed

),

renamed as (

    select
        -- ids
        event_id,
        customer_id,

        -- texts
        {{ canonical('event_type', mapped.event_type) }} as event_type,
        {{ canonical('region', mapped.region) }} as region,
        cell,

        -- numerics
        try_cast(duration_seconds as {{ typed.duration_seconds }}) as duration_seconds,
        try_cast(bytes as {{ typed.bytes }}) as bytes,
        try_cast(charge as {{ typed.charge }}) as charge,

        -- booleans
        cast({{ canonical('roaming', mapped.roaming) }} as boolean) as is_roaming,

        -- timestamps
        try_cast(started_at as timestamp) as started_at,
        cast(try_cast(started_at as timestamp) as date) as usage_date,
        try_cast(emitted_at as timestamp) as emitted_at,

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
