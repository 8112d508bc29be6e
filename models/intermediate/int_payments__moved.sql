{#-
    Payments that a later version billed or paid on another day: where each of their versions does
    not stand, so that it is taken back there.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['billing.payments'],
        by_dates=true,
        post_hook='{{ find_dates() }}',
    )
}}

with moved as (

    {{ moved_versions(
        ref('stg_billing_payments'),
        key='payment_id',
        place=['billed_on', 'paid_on'],
        day='billed_on',
    ) }}

),

final as (

    select
        -- ids
        payment_id,

        -- timestamps
        billed_on,
        paid_on,
        emitted_at,

        -- where the row came from
        delivered_on,
        _source_file,
        _source_row,
        _version_batch,
        _batch
    from moved

)

select * from final
