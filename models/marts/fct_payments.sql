{{
    config(
        materialized='incremental',
        incremental_strategy='upsert',
        unique_key=['payment_id'],
        prune_by='billed_on',
        partition_by=['months(billed_on)'],
        sort_by=['customer_id'],
    )
}}

with versions as (

    select * from {{ ref('int_payments__versions') }}
    where {{ touched_dates(ref('int_payments__versions'), 'billed_on') }}

),

touched as (

    select distinct payment_id
    from versions
    where _batch > {{ last_batch() }} or {{ in_backfill('billed_on') }}

),

touched_versions as (

    select versions.*
    from versions
    left semi join touched on versions.payment_id = touched.payment_id

),

ranked as (

    select
        *,
        {{ latest_by(['payment_id'], ['emitted_at']) }} as recency
    from touched_versions

),

latest as (

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
        known_on,
        _batch
    from ranked
    where recency = 1

)

select * from latest
