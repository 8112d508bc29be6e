{#- Left out of other tests: without a range it takes in all days until now. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='microbatch',
        event_time='day',
        batch_size='day',
        begin='2024-01-01',
        partition_by=['day'],
        enabled=var('by_day'),
    )
}}

select
    colour,
    day
from {{ ref('days') }}
