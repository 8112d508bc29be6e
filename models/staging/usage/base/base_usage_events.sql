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
    'duration_seconds_negative': parsed('duration_seconds', 'int') ~ ' < 0',
    'bytes_negative': parsed('bytes', 'bigint') ~ ' < 0',
    'charge_negative': parsed('charge', 'decimal(14, 4)') ~ ' < 0',
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
        {{ parsed('duration_seconds', typed.duration_seconds) }} as duration_seconds,
        {{ parsed('bytes', typed.bytes) }} as bytes,
        {{ parsed('charge', typed.charge) }} as charge,

        -- booleans
        cast({{ canonical('roaming', mapped.roaming) }} as boolean) as is_roaming,

        -- timestamps
        {{ parsed('started_at', 'timestamp') }} as started_at,
        cast({{ parsed('started_at', 'timestamp') }} as date) as usage_date,
        {{ parsed('emitted_at', 'timestamp') }} as emitted_at,

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
