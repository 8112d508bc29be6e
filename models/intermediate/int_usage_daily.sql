{#-
    What each delivery added to a customer's day: one row for each day on which something of it
    became known. Summed over what was known by a date, it is the usage as it was seen then; over
    all, the usage as it is seen now.

    An event counts once, in its latest version. When a later one corrects it, the old numbers are
    taken back on the day on which the new ones became known, wherever they stood.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='upsert',
        new_rows_of=['usage.events'],
        unique_key=['usage_date', 'customer_id', 'known_on'],
        prune_by='usage_date',
        partition_by=['usage_date'],
        sort_by=['customer_id'],
    )
}}
{% set measures = [
    'events', 'voice_calls', 'call_seconds', 'text_messages', 'data_sessions', 'data_bytes',
    'charges', 'roaming_events',
] %}
{# Of copies of a version that which landed first counts. #}
{% set landing_order = '_version_batch, _source_file desc, _source_row desc' %}

with events as (

    select
        event_id,
        customer_id,
        usage_date,
        emitted_at,
        delivered_on,
        1 as events,
        if(event_type = 'voice', 1, 0) as voice_calls,
        if(event_type = 'voice', coalesce(duration_seconds, 0), 0) as call_seconds,
        if(event_type = 'sms', 1, 0) as text_messages,
        if(event_type = 'data', 1, 0) as data_sessions,
        coalesce(bytes, 0) as data_bytes,
        coalesce(charge, 0) as charges,
        if(is_roaming, 1, 0) as roaming_events,
        _source_file,
        _source_row,
        _batch as _version_batch,
        _batch
    from {{ ref('stg_usage_events') }}
    where {{ in_new_dates('usage_date') }}
    union all
    select
        event_id,
        customer_id,
        usage_date,
        emitted_at,
        delivered_on,
        {% for measure in measures -%}
            0 as {{ measure }},
        {% endfor -%}
        _source_file,
        _source_row,
        _version_batch,
        _batch
    from {{ ref('int_usage_events__moved') }}
    where event_id is not null and {{ in_new_dates('usage_date') }}

),

{% if adds_rows() -%}
    touched as (

        select distinct
            customer_id,
            usage_date
        from events
        where {{ any_of([in_new_batches(), in_backfill('usage_date')]) }}

    ),

    touched_events as (

        select events.*
        from events
        left semi join touched
            on events.customer_id = touched.customer_id and events.usage_date = touched.usage_date

    ),
{%- else -%}
    touched_events as (

        select * from events

    ),
{%- endif %}

-- The events of a customer's day meet in one task, in one order: all that follows needs neither
-- another shuffle nor another sort of them.
gathered as (

    select /*+ repartition(customer_id, usage_date) */ *
    from touched_events

),

copies as (

    select
        *,
        row_number() over (
            partition by customer_id, usage_date, event_id, emitted_at
            order by {{ landing_order }}
        ) as copy_number,
        min(delivered_on) over (
            partition by customer_id, usage_date, event_id, emitted_at
            order by {{ landing_order }}
            rows between unbounded preceding and unbounded following
        ) as known_on
    from gathered

),

-- A version that became known after a later one was never seen.
versions as (

    select
        *,
        copy_number = 1 and coalesce(
            min(if(copy_number = 1, known_on, null)) over (
                partition by customer_id, usage_date, event_id
                order by emitted_at, {{ landing_order }}
                rows between 1 following and unbounded following
            ) > known_on,
            true
        ) as is_effective
    from copies

),

corrected as (

    select
        *,
        -- Fields that may be null, or Comet fails: tests/engine/test_native.py.
        last(
            if(
                is_effective,
                struct(
                    {% for measure in measures -%}
                        if(is_effective, {{ measure }}, null) as {{ measure }}
                        {{- ',' if not loop.last }}
                    {% endfor %}
                ),
                null
            ),
            true
        ) over (
            partition by customer_id, usage_date, event_id
            order by emitted_at, {{ landing_order }}
            rows between unbounded preceding and 1 preceding
        ) as earlier
    from versions

),

-- A copy adds nothing. Its day is a row all the same: one that was there must not stay as it was
-- when a copy turns up that had been delivered before.
placed as (

    select
        *,
        explode(
            array_distinct(array(if(is_effective, known_on, delivered_on), delivered_on))
        ) as placed_on
    from corrected

),

differences as (

    select
        {% for measure in measures -%}
            if(
                placed.is_effective and placed.placed_on = placed.known_on,
                placed.{{ measure }} - coalesce(placed.earlier.{{ measure }}, 0),
                0
            ) as {{ measure }},
        {% endfor -%}
        placed.customer_id,
        placed.usage_date,
        placed.placed_on as known_on,
        placed._batch
    from placed

),

daily as (

    select
        -- ids
        customer_id,
        usage_date,
        known_on,

        -- numerics
        {% for measure in measures if measure != 'charges' -%}
            cast(sum({{ measure }}) as bigint) as {{ measure }},
        {% endfor -%}
        cast(sum(charges) as decimal(18, 4)) as charges,

        -- where the rows came from
        max(_batch) as _batch
    from differences
    group by customer_id, usage_date, known_on

),

added_up as (

    select
        *,
        sum(events) over (
            partition by customer_id, usage_date order by known_on
        ) as events_by_then
    from daily

),

final as (

    select
        -- ids
        customer_id,
        usage_date,
        known_on,

        -- numerics
        {% for measure in measures -%}
            {{ measure }},
        {% endfor -%}

        -- where the rows came from
        _batch,

        -- timestamps
        min(if(events_by_then = 0, known_on, null)) over (
            partition by customer_id, usage_date order by known_on
            rows between 1 following and unbounded following
        ) as emptied_on
    from added_up

)

select * from final
