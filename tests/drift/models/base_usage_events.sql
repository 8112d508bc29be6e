{#- Some 1,000 events a day, more at weekends, as a pseudo-random sequence that never changes. -#}
{{ config(materialized='incremental', incremental_strategy='append') }}
{% set fault = var('fault') %}

with days as (

    select
        batch,
        date_add(date '2024-01-01', batch) as day,
        -- Yesterday's file again: its rows, today.
        {{ 'batch - 1' if fault == 'again' else 'batch' }} as content
    from (select explode(sequence(0, {{ var('days') }})) as batch)
    where batch > {{ last_batch(model.unique_id, 'usage.events') }}

),

events as (

    select
        batch,
        day,
        content,
        explode(sequence(
            1,
            900 + 40 * dayofweek(date_add(date '2024-01-01', content))
            + pmod(xxhash64(content, 0), 60)
        )) as number
    from days

),

drawn as (

    select
        *,
        batch = {{ var('days') }} as is_last,
        pmod(xxhash64(content, number, 1), 1000) as one,
        pmod(xxhash64(content, number, 2), 1000) as two,
        pmod(xxhash64(content, number, 3), 1000) as three,
        pmod(xxhash64(content, number, 4), 1000) as four
    from events

),

typed as (

    select
        *,
        case when one < 500 then 'data' when one < 800 then 'voice' else 'sms' end as event_type
    from drawn

)

select
    concat(content, '-', number) as event_id,
    {% if fault == 'renamed' -%}
        if(is_last and event_type = 'data', null, event_type) as event_type,
    {%- else -%}
        event_type,
    {%- endif %}
    if(two < 100{{ ' or is_last' if fault == 'nulls' }}, null, two * 1000) as bytes,
    three / 100{{ ' * if(is_last, 100, 1)' if fault == 'hundredfold' }} as charge,
    date_sub(date_add(date '2024-01-01', content), if(four < 50, 1, 0)) as usage_date,
    four < 20{{ " or (is_last and event_type = 'data')" if fault == 'renamed' }} as is_rejected,
    day as delivered_on,
    cast(batch as bigint) as _batch
from typed
{% if fault == 'half' -%}
    where not is_last or pmod(number, 2) = 0
{%- endif %}
