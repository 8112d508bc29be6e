{#- What must be there of the usage events when all is cleaned: one row an event. -#}
select
    concat('{{ chunk }}-', n * 8 div {{ p.chunk }} % 8) as object,
    at as line_order,
    xxhash64(id) as tie,
    id as event_id,
    customer_id, event_type,
    timestamp_seconds(at + skew_seconds) as started_at,
    if(dirt <=> 'blank_number' and event_type = 'voice', null, duration_seconds)
        as duration_seconds,
    if(dirt <=> 'blank_number' and event_type = 'data', null, bytes) as bytes,
    if(dirt <=> 'blank_number' and event_type = 'sms', null, charge) as charge,
    roaming,
    element_at(array('{{ regions | join("', '") }}'), region_no + 1) as region,
    timestamp_seconds(emitted + skew_seconds) as emitted_at,
    dirt, skew_seconds,
    timestamp_seconds(at) as true_started_at,
    true_duration as true_duration_seconds, true_bytes, true_charge
from sent_usage
where dirt is null or dirt not in ('truncated', 'garbage', 'missing_key', 'malformed_number')
