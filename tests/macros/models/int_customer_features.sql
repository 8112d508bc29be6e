{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['as_of_date'],
        new_rows_of={'crm.customers': '_events_batch'},
    )
}}
{% set dates = feature_dates() %}

with dates as (

    {{ date_rows(dates) }}

)

select
    count(*) as events,
    dates.as_of_date,
    {{ var('run') }} as run,
    (select max(_batch) from {{ ref('taken_in') }}) as _events_batch,
    current_timestamp() as built_at
from dates
inner join {{ ref('taken_in') }} as taken_in
    on taken_in.known_on <= dates.as_of_date
group by dates.as_of_date
