{#- Payments as they were sent: a first try a bill, a second one, and later the refund of a few. -#}
{% from 'macros.sql' import u, pick, dirt, skew, variant, number, time, line, euros with context %}
with tries as (

    select
        n, customer_id, payment_method, active_until,
        states[size(states) - 1].region as region_no,
        filter(states, s -> s.at <= t.billed_at) as until_bill,
        t.billed_at,
        t.`try`,
        t.at as paid_at,
        t.failed,
        t.billed_at * 2 + t.`try` as i
    from lives
    lateral view explode(payments) as t

),

versioned as (

    select
        * except (until_bill),
        until_bill[size(until_bill) - 1].monthly as true_cents,
        date_format(timestamp_seconds(billed_at), 'yyyy-MM') as invoice_month,
        filter(
            array(
                named_struct(
                    'version', 1, 'status', if(failed, 'failed', 'paid'),
                    'emitted', paid_at + 5 + {{ pick(55, 'payment_told', 'i') }}
                ),
                named_struct(
                    'version', 2, 'status', 'refunded',
                    'emitted', paid_at + (3 + {{ pick(17, 'refund_day', 'i') }}) * 86400
                )
            ),
            v -> v.version = 1
                or not failed and {{ u('refunded', 'i') }} < 0.01D and v.emitted < active_until
        ) as versions
    from tries

),

sent as (

    select
        * except (versions, v),
        v.*,
        {{ dirt('payment_dirt', 'i * 3 + v.version') }} as dirt,
        {{ u('payment_r', 'i * 3 + v.version') }} as r,
        {{ u('payment_how', 'i * 3 + v.version') }} as how,
        concat(customer_id, '-p', replace(invoice_month, '-', ''), '-', `try`) as payment_id
    from versioned
    lateral view explode(versions) as v

),

delivered as (

    select
        *,
        {{ skew('region_no', 'emitted') }} as skew_seconds,
        {{ euros("true_cents * if(dirt <=> 'outlier', 1000L, 1L)") }} as amount
    from sent

),

spelled as (

    select
        *,
        concat(
            ',"customer_id":"', customer_id,
            '","invoice_month":"', invoice_month,
            '","billed_at":"', {{ time('billed_at') }},
            '","amount":', {{ number('amount', 'true', 'r') }},
            ',"method":"', if(dirt <=> 'category_variant', upper(payment_method), payment_method),
            '","status":"', {{ variant('status', 'how') }},
            '","paid_at":"', {{ time('paid_at + skew_seconds') }},
            '","emitted_at":"', {{ time('emitted + skew_seconds') }}, '"}'
        ) as rest
    from delivered

)

select
    'payments' as log,
    n, payment_id as id, version, customer_id, region_no, invoice_month, billed_at,
    payment_method, status, amount,
    {{ euros('true_cents') }} as true_amount,
    paid_at, emitted, skew_seconds, dirt,
    {{ line('payment_id', 'payment_id', 'rest', 'r') }} as line
from spelled
