{#- Every state of every customer, typed; texts as the source spells them. -#}
select
    concat('{{ chunk }}-', n * 8 div {{ p.chunk }} % 8) as object,
    change_seq as line_order,
    customer_id, op, change_seq, kind,
    timestamp_seconds(committed) as valid_from,
    timestamp_seconds(superseded) as valid_to,
    superseded is null as is_current,
    gender,
    senior_citizen = '1' as senior_citizen,
    partner = 'Yes' as partner,
    dependents = 'Yes' as dependents,
    cast(tenure_months as int) as tenure_months,
    phone_service = 'Yes' as phone_service,
    multiple_lines, internet_service, online_security, online_backup, device_protection,
    tech_support, streaming_tv, streaming_movies, contract_type,
    paperless_billing = 'Yes' as paperless_billing,
    payment_method, monthly_charges, total_charges, churn_label,
    timestamp_seconds(at) as event_timestamp,
    timestamp_seconds(at) as last_updated,
    region, product_line
from states
