{#-
    Tickets that a later version opened on another day: where each of their versions does not
    stand, so that it is taken back there.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['support.tickets'],
        by_dates=true,
        post_hook='{{ find_dates() }}',
    )
}}

with moved as (

    {{ moved_versions(
        ref('stg_support_tickets'), key='ticket_id', place=['opened_on'], day='opened_on'
    ) }}

),

final as (

    select
        -- ids
        ticket_id,

        -- timestamps
        opened_on,
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
