{#- The change log of the master: every value as text, as a source delivers it. -#}
{% from 'macros.sql' import time with context %}
select
    concat(
        if(is_initial, 'initial', date_format(timestamp_seconds(committed), 'yyyy-MM-dd')),
        '/{{ chunk }}'
    ) as object,
    change_seq as line_order,
    op, change_seq,
    {{ time('committed') }} as committed_at,
    customer_id, gender, senior_citizen, partner, dependents,
    cast(tenure_months as string) as tenure_months,
    phone_service, multiple_lines, internet_service, online_security, online_backup,
    device_protection, tech_support, streaming_tv, streaming_movies, contract_type,
    paperless_billing, payment_method,
    cast(monthly_charges as string) as monthly_charges,
    cast(total_charges as string) as total_charges,
    if(churn_label, 'Yes', 'No') as churn_label,
    {{ time('at') }} as event_timestamp,
    {{ time('at') }} as last_updated,
    region, product_line
from states
