{{ config(materialized='table') }}

select
    id,
    '{{ var("colour") }}' as colour
    {%- if var('wide') %},
        id * 2 as twice
    {%- endif %}
from range({{ var('batches') }})
