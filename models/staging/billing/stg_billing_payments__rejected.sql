{{ config(materialized='incremental', incremental_strategy='append') }}

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
    where is_rejected and {{ new_batches(relation=ref('base_billing_payments')) }}

)

select * from rejected
