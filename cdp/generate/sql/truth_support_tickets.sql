{#- What must be there of the tickets: the latest usable row of each. -#}
with usable as (

    select
        *,
        row_number() over (
            partition by id order by emitted + skew_seconds desc, version desc
        ) as newest
    from sent_tickets
    where dirt is null or dirt not in ('truncated', 'garbage', 'missing_key', 'malformed_number')

)

select
    concat('{{ chunk }}-', n * 8 div {{ p.chunk }} % 8) as object,
    opened_at as line_order,
    xxhash64(id) as tie,
    id as ticket_id,
    customer_id,
    timestamp_seconds(opened_at + skew_seconds) as opened_at,
    timestamp_seconds(closed_at + skew_seconds) as closed_at,
    category, priority,
    if(dirt <=> 'blank_number', null, satisfaction) as satisfaction,
    timestamp_seconds(emitted + skew_seconds) as emitted_at,
    dirt, skew_seconds, true_satisfaction
from usable
where newest = 1
