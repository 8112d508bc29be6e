{#- As dbt's documentation has it: nothing in it is of this package. -#}
{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}

select
    id,
    '{{ var("colour") }}' as colour,
    timestamp_seconds({{ var('batches') }} * 10 + id) as updated_at
from range({{ var('batches') }})
{% if is_incremental() %}
where timestamp_seconds({{ var('batches') }} * 10 + id) > (select max(updated_at) from {{ this }})
{% endif %}
