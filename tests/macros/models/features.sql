{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['as_of_date'],
    )
}}
{% set dates = feature_dates({
    '_events_batch': {'relation': ref('taken_in'), 'known_on': 'known_on'},
}) %}

with dates as (

    {{ date_rows(dates) }}
    {% if not dates -%}
        {{ nothing_new() }}
    {%- endif %}

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
