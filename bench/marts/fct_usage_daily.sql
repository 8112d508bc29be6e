select
    customer_id,
    usage_date,
    cast(sum(events) as bigint) as events,
    cast(sum(voice_calls) as bigint) as voice_calls,
    cast(sum(call_seconds) as bigint) as call_seconds,
    cast(sum(text_messages) as bigint) as text_messages,
    cast(sum(data_sessions) as bigint) as data_sessions,
    cast(sum(data_bytes) as bigint) as data_bytes,
    cast(sum(charges) as decimal(18, 4)) as charges,
    cast(sum(roaming_events) as bigint) as roaming_events
from daily_usage
group by customer_id, usage_date
