{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['happened_on'],
        by_dates=true,
        new_rows_of=['crm.customers'],
    )
}}

select
    count(*) as events,
    happened_on,
    max(_batch) as _batch,
    {{ var('run') }} as run
from {{ ref('taken_in') }}
where {{ in_new_dates('happened_on') }}
group by happened_on
