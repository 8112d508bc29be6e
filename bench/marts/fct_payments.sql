select
    payment_id,
    customer_id,
    replace(lower(method), ' ', '_') as payment_method,
    lower(status) as payment_status,
    cast(amount as decimal(12, 2)) as amount,
    invoice_month,
    cast(cast(billed_at as timestamp) as date) as billed_on,
    cast(paid_at as timestamp) as paid_at,
    cast(cast(paid_at as timestamp) as date) as paid_on,
    cast(emitted_at as timestamp) as emitted_at,
    cast(_delivered_at as date) as known_on
from (
    select
        *,
        row_number() over (partition by payment_id order by emitted_at desc) as recency
    from payments
) as ranked
where recency = 1
