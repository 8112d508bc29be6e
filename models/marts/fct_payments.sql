{{
    config(
        materialized='incremental',
        incremental_strategy='upsert',
        new_rows_of=['billing.payments'],
        unique_key=['payment_id'],
        prune_by='billed_on',
        partition_by=['months(billed_on)'],
        sort_by=['customer_id'],
    )
}}

with versions as (

    select * from {{ ref('int_payments__versions') }}
    where {{ in_new_dates('billed_on') }}

),

touched as (

    select distinct payment_id
    from versions
    where {{ any_of([in_new_batches(), in_backfill('billed_on')]) }}

),

touched_versions as (

    select versions.*
    from versions
    left semi join touched on versions.payment_id = touched.payment_id

),

ranked as (

    select
        *,
        {{ latest_by(['payment_id'], ['emitted_at', 'not is_moved']) }} as recency
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
    where recency = 1 and not is_moved

)

select * from latest
