{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['billing.payments'],
    )
}}

with cleaned as (

    select * from {{ ref('base_billing_payments') }}

),

rejected as (

    select
        payment_id,
        reject_reasons,
        _source_file,
        _source_row,
        _landed_at,
        _batch
    from cleaned
    where is_rejected and {{ in_new_batches() }}

)

select * from rejected
