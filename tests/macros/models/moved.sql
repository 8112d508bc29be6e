{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        by_dates=true,
        new_rows_of=['support.tickets'],
        post_hook='{{ find_dates() }}',
    )
}}

{{ moved_versions(
    ref('versions_in'), key='event_id', place=['customer_id', 'happened_on'], day='happened_on'
) }}
