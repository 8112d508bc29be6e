{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['happened_on'],
    )
}}

select
    count(*) as events,
    happened_on,
    max(_batch) as _batch,
    {{ var('run') }} as run
from {{ ref('taken_in') }}
where {{ touched_dates(ref('taken_in'), 'happened_on') }}
group by happened_on
