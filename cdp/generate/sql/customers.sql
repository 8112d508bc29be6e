{#- The last state of each customer that was not erased, in the columns and words of staging. -#}
{% from 'macros.sql' import canonical with context %}
select
    concat('{{ chunk }}-', n * 8 div {{ p.chunk }} % 8) as object,
    n as line_order,
    customer_id,
    lower(gender) as gender,
    if(internet_service = 'No', 'none', {{ canonical('internet_service') }}) as internet_service,
    {{ canonical('contract_type') }} as contract_type,
    {{ canonical('payment_method') }} as payment_method,
    region, product_line,
    cast(tenure_months as int) as tenure_months,
    cast(monthly_charges as decimal(10, 2)) as monthly_charges,
    total_charges,
    senior_citizen = '1' as is_senior_citizen,
    partner = 'Yes' as has_partner,
    dependents = 'Yes' as has_dependents,
    phone_service = 'Yes' as has_phone_service,
    {% for name in [
        'multiple_lines', 'online_security', 'online_backup', 'device_protection', 'tech_support',
        'streaming_tv', 'streaming_movies',
    ] -%}
        {{ name }} = 'Yes' as has_{{ name }},
    {% endfor -%}
    paperless_billing = 'Yes' as has_paperless_billing,
    churn_label,
    timestamp_seconds(at) as event_timestamp,
    timestamp_seconds(at) as last_updated
from states
where superseded is null and op <> 'd'
