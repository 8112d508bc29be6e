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
    'amount_negative': 'amount_value < 0',
    'invoice_month_not_month': has_no_value('invoice_month'),
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

valued as (

    select
        *,
        {{ values_of(mapped, typed) }},
        {{ parsed("concat(invoice_month, '-01')", 'date') }} as invoice_month_value
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
        payment_id,
        customer_id,

        -- texts
        method_value as payment_method,
        status_value as payment_status,

        -- numerics
        amount_value as amount,

        -- timestamps
        invoice_month_value as invoice_month,
        cast(billed_at_value as date) as billed_on,
        paid_at_value as paid_at,
        cast(paid_at_value as date) as paid_on,
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
