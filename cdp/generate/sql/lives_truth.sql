{#- What churn followed from: one row a customer, counts within the period and before churn. -#}
{% from 'macros.sql' import time with context %}
select
    concat('{{ chunk }}-', n * 8 div {{ p.chunk }} % 8) as object,
    n as line_order,
    customer_id,
    is_new,
    timestamp_seconds(signup_at) as known_from,
    timestamp_seconds(decline_at) as usage_declined_at,
    timestamp_seconds(churn_at) as churned_at,
    timestamp_seconds(erase_at) as erased_at,
    size(tickets) as tickets,
    size(payments) as payments,
    size(filter(payments, t -> t.failed)) as failed_payments
from lives
