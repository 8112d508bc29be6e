{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['as_of_date'],
        as_of_dates=true,
        new_rows_of={'crm.customers': '_events_batch'},
    )
}}
{% set dates = feature_dates() %}
{% set labelled = labelled_dates() %}
-- depends_on: {{ ref('customers_history') }}

with dates as (

    {{ date_rows(dates) }}

),

features as (

    select
        count(*) as events,
        dates.as_of_date,
        {{ var('run') }} as run,
        (select max(_batch) from {{ ref('taken_in') }}) as _events_batch
    from dates
    inner join {{ ref('taken_in') }} as taken_in
        on taken_in.known_on <= dates.as_of_date
    group by dates.as_of_date
    {% if labelled -%}
        union all
        select
            events,
            as_of_date,
            run,
            _events_batch
        from {{ this }}
        where {{ in_dates('as_of_date', labelled) }}
    {%- endif %}

)

select
    *,
    date_add(as_of_date, 30) < date '{{ last_known_date() }}' as is_label_known,
    current_timestamp() as built_at
from features
