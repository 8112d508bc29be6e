{#-
    Events that a later version gave to another day or customer: where each of their versions does
    not stand, so that it is taken back there.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['usage.events'],
        by_dates=true,
        post_hook='{{ find_dates() }}',
    )
}}

with moved as (

    {{ moved_versions(
        ref('stg_usage_events'),
        key='event_id',
        place=['customer_id', 'usage_date'],
        day='usage_date',
    ) }}

),

final as (

    select
        -- ids
        event_id,
        customer_id,

        -- timestamps
        usage_date,
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
