{#- Each raw payment row once: trimmed, canonical, typed, with why it cannot be used. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['billing.payments'],
        partition_by=['months(paid_on)'],
    )
}}
{% set texts = [
    'payment_id', 'customer_id', 'invoice_month', 'billed_at', 'amount', 'method', 'status',
    'paid_at', 'emitted_at',
] %}
{% set mapped = {
    'method': 'payment_method',
    'status': 'payment_status',
} %}
{% set typed = {
    'billed_at': 'timestamp',
    'amount': 'decimal(12, 2)',
    'paid_at': 'timestamp',
    'emitted_at': 'timestamp',
} %}
{% set required = [
    'payment_id', 'customer_id', 'billed_at', 'amount', 'status', 'paid_at', 'emitted_at',
] %}
{% set rules = {
    'payment_id_malformed': is_malformed_key('payment_id'),
    'customer_id_malformed': is_malformed_key('customer_id'),
    'amount_negative': parsed('amount', 'decimal(12, 2)') ~ ' < 0',
    'invoice_month_not_month': is_not_castable("concat(invoice_month, '-01')", 'date'),
} %}

with source as (

    select * from {{ source('raw', 'payments') }}
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
        payment_id,
        customer_id,

        -- texts
        {{ canonical('method', mapped.method) }} as payment_method,
        {{ canonical('status', mapped.status) }} as payment_status,

        -- numerics
        {{ parsed('amount', typed.amount) }} as amount,

        -- timestamps
        {{ parsed("concat(invoice_month, '-01')", 'date') }} as invoice_month,
        cast({{ parsed('billed_at', 'timestamp') }} as date) as billed_on,
        {{ parsed('paid_at', 'timestamp') }} as paid_at,
        cast({{ parsed('paid_at', 'timestamp') }} as date) as paid_on,
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
