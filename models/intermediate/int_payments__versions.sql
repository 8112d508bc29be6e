{#-
    Every version of every payment, as its status went on, each once however often it was delivered.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='apply_changes',
        new_rows_of=['billing.payments'],
        unique_key=['payment_id', 'emitted_at'],
        sequence_by=['_precedence', '_source_file', '_source_row'],
        prune_by='billed_on',
        partition_by=['months(billed_on)'],
    )
}}

with payments as (

    select * from {{ ref('stg_billing_payments') }}
    where {{ in_new_batches() }}

),

versions as (

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

        -- where the row came from: of the copies of a version the one that landed first
        delivered_on as known_on,
        -_batch as _precedence,
        _source_file,
        _source_row,
        _batch
    from payments

)

select * from versions
