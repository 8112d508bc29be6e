{#- A row a day, for `by_day`. -#}
{{ config(materialized='table', event_time='day') }}

select
    '{{ var("colour") }}' as colour,
    date_add(date '2024-01-01', cast(id as int)) as day
from range({{ var('batches') }})
