{{ config(materialized='ephemeral') }}

with cleaned as (

    select * from {{ ref('base_billing_payments') }}

),

accepted as (

    select
        -- ids
        payment_id,
        customer_id,

        -- texts
        payment_method,
        payment_status,

        -- numerics
        amount,

        -- timestamps
        invoice_month,
        billed_on,
        paid_at,
        paid_on,
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
