{#- What must be there of the payments: the latest usable row of each. One needs an amount. -#}
{% from 'macros.sql' import canonical with context %}
with usable as (

    select
        *,
        row_number() over (
            partition by id order by emitted + skew_seconds desc, version desc
        ) as newest
    from sent_payments
    where dirt is null or dirt not in (
        'truncated', 'garbage', 'missing_key', 'malformed_number', 'blank_number'
    )

)

select
    concat('{{ chunk }}-', n * 8 div {{ p.chunk }} % 8) as object,
    paid_at as line_order,
    xxhash64(id) as tie,
    id as payment_id,
    customer_id, invoice_month,
    timestamp_seconds(billed_at) as billed_at,
    amount,
    {{ canonical('payment_method') }} as method,
    status,
    timestamp_seconds(paid_at + skew_seconds) as paid_at,
    timestamp_seconds(emitted + skew_seconds) as emitted_at,
    dirt, skew_seconds,
    true_amount,
    timestamp_seconds(paid_at) as true_paid_at
from usable
where newest = 1
