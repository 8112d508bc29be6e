-- What a customer used on a day, by the day on which it became known, each event once.
select
    customer_id,
    cast(cast(started_at as timestamp) as date) as usage_date,
    cast(_delivered_at as date) as known_on,
    count(*) as events,
    count_if(event_type = 'voice') as voice_calls,
    cast(
        sum(case when event_type = 'voice' then cast(duration_seconds as int) else 0 end) as bigint
    ) as call_seconds,
    count_if(event_type = 'sms') as text_messages,
    count_if(event_type = 'data') as data_sessions,
    cast(sum(cast(bytes as bigint)) as bigint) as data_bytes,
    cast(sum(cast(charge as decimal(14, 4))) as decimal(18, 4)) as charges,
    count_if(roaming = 'yes') as roaming_events
from (
    select
        *,
        row_number() over (
            partition by event_id order by emitted_at desc, _batch, _source_row
        ) as recency
    from events
) as ranked
where recency = 1
group by
    customer_id, cast(cast(started_at as timestamp) as date), cast(_delivered_at as date)
