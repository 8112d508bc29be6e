-- Each version of a customer, cleaned, with when the next one came.
select
    customer_id,
    lower(gender) as gender,
    lower(region) as region,
    lower(product_line) as product_line,
    case lower(internet_service)
        when 'no' then 'none' else replace(lower(internet_service), ' ', '_')
    end as internet_service,
    replace(replace(lower(contract_type), '-', '_'), ' ', '_') as contract_type,
    replace(replace(replace(lower(payment_method), ' (', '_'), ')', ''), ' ', '_')
        as payment_method,
    cast(tenure_months as int) as tenure_months,
    cast(monthly_charges as decimal(10, 2)) as monthly_charges,
    cast(total_charges as decimal(12, 2)) as total_charges,
    senior_citizen = 'Yes' as is_senior_citizen,
    partner = 'Yes' as has_partner,
    dependents = 'Yes' as has_dependents,
    phone_service = 'Yes' as has_phone_service,
    multiple_lines = 'Yes' as has_multiple_lines,
    online_security = 'Yes' as has_online_security,
    online_backup = 'Yes' as has_online_backup,
    device_protection = 'Yes' as has_device_protection,
    tech_support = 'Yes' as has_tech_support,
    streaming_tv = 'Yes' as has_streaming_tv,
    streaming_movies = 'Yes' as has_streaming_movies,
    paperless_billing = 'Yes' as has_paperless_billing,
    churn_label = 'Yes' as churn_label,
    cast(event_timestamp as timestamp) as event_timestamp,
    cast(last_updated as timestamp) as last_updated,
    _op = 'd' as is_deleted,
    cast(_committed_at as date) as valid_from,
    cast(lead(_committed_at) over versions as date) as valid_to,
    coalesce(lag(churn_label) over versions, 'No') = 'Yes' as had_left
from customers
window versions as (partition by customer_id order by _committed_at, _lsn, _batch, _source_row)
