{#-
    Every version of every payment, as its status went on, each once however often it was delivered;
    and where payments that have moved no longer stand.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='apply_changes',
        new_rows_of=['billing.payments'],
        unique_key=['payment_id', 'billed_on', 'paid_on', 'emitted_at'],
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

        -- booleans
        false as is_moved,

        -- where the row came from: of the copies of a version the one that landed first
        delivered_on as known_on,
        -_batch as _precedence,
        _source_file,
        _source_row,
        _batch
    from payments

),

moved as (

    select
        payment_id,
        null as customer_id,
        null as payment_method,
        null as payment_status,
        null as amount,
        null as invoice_month,
        billed_on,
        null as paid_at,
        paid_on,
        emitted_at,
        true as is_moved,
        delivered_on as known_on,
        -_version_batch as _precedence,
        _source_file,
        _source_row,
        _batch
    from {{ ref('int_payments__moved') }}
    where payment_id is not null and {{ in_new_batches() }}

),

all_versions as (

    select * from versions
    union all
    select * from moved

),

final as (

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

        -- booleans
        is_moved,

        -- where the row came from: of the copies of a version the one that landed first
        known_on,
        _precedence,
        _source_file,
        _source_row,
        _batch
    from all_versions

)

select * from final
