{{ config(materialized='table') }}

select
    region,
    id,
    last_updated,
    change_lsn,
    landing_order,
    colour
from (
    select
        *,
        {{ spark_iceberg.latest_by(
            ['region', 'id'], ['last_updated', 'change_lsn', 'landing_order']
        ) }} as recency
    from {{ ref('latest_by_given') }}
)
where recency = 1
