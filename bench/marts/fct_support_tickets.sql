select
    ticket_id,
    customer_id,
    lower(category) as category,
    lower(priority) as priority,
    closed_at is null as is_open,
    cast(opened_at as timestamp) as opened_at,
    cast(cast(opened_at as timestamp) as date) as opened_on,
    substr(opened_at, 1, 7) as opened_month,
    cast(emitted_at as timestamp) as emitted_at,
    cast(_delivered_at as date) as known_on
from (
    select
        *,
        row_number() over (partition by ticket_id order by emitted_at desc) as recency
    from tickets
) as ranked
where recency = 1
