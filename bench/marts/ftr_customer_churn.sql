with dates as (

    select cast(day as date) as as_of_date from (values {dates}) as days (day)

),

known_customers as (

    select
        history.*,
        dates.as_of_date
    from history
    inner join dates
        on
            history.valid_from <= dates.as_of_date
            and coalesce(history.valid_to > dates.as_of_date, true)
    where not history.is_deleted

),

known_usage as (

    select
        daily_usage.customer_id,
        dates.as_of_date,
        {windows},
        sum(events) as events_180d,
        min(usage_date) filter (where events > 0) as first_used_on,
        sum(roaming_events) filter (where usage_date > as_of_date - 30) as roaming_events_30d,
        max(usage_date) filter (where usage_date > as_of_date - 90) as last_used_on
    from daily_usage
    inner join dates
        on
            daily_usage.known_on <= dates.as_of_date
            and daily_usage.usage_date between dates.as_of_date - 179 and dates.as_of_date
    group by daily_usage.customer_id, dates.as_of_date

),

known_payments as (

    select
        fct_payments.customer_id,
        dates.as_of_date,
        count(*) as payments_90d,
        count_if(payment_status = 'failed' and paid_on > as_of_date - 30) as failed_payments_30d,
        count_if(payment_status = 'failed' and paid_on > as_of_date - 60) as failed_payments_60d,
        count_if(payment_status = 'failed') as failed_payments_90d,
        max(paid_on) as last_paid_on
    from fct_payments
    inner join dates
        on
            fct_payments.known_on <= dates.as_of_date
            and fct_payments.paid_on between dates.as_of_date - 89 and dates.as_of_date
    group by fct_payments.customer_id, dates.as_of_date

),

known_tickets as (

    select
        fct_support_tickets.customer_id,
        dates.as_of_date,
        count_if(opened_on > as_of_date - 30) as tickets_30d,
        count_if(opened_on > as_of_date - 60) as tickets_60d,
        count(*) as tickets_90d,
        count_if(is_open) as open_tickets,
        max(opened_on) as last_opened_on
    from fct_support_tickets
    inner join dates
        on
            fct_support_tickets.known_on <= dates.as_of_date
            and fct_support_tickets.opened_on between dates.as_of_date - 89 and dates.as_of_date
    group by fct_support_tickets.customer_id, dates.as_of_date

),

churned_soon as (

    select distinct
        history.customer_id,
        dates.as_of_date
    from history
    inner join dates
        on history.valid_from between dates.as_of_date + 1 and dates.as_of_date + 30
    where history.churn_label and not history.had_left

)

select
    known_customers.customer_id,
    known_customers.as_of_date,
    region,
    product_line,
    contract_type,
    internet_service,
    payment_method,
    tenure_months,
    monthly_charges,
    total_charges,
    cast(
        coalesce(total_charges / nullif(tenure_months, 0), monthly_charges) as decimal(10, 2)
    ) as average_monthly_charges,
    {services} as service_count,
    coalesce(cast(events_7d as bigint), 0) as usage_events_7d,
    coalesce(cast(events_30d as bigint), 0) as usage_events_30d,
    coalesce(cast(events_90d as bigint), 0) as usage_events_90d,
    coalesce(cast(events_180d as bigint), 0) as usage_events_180d,
    cast(coalesce(call_seconds_30d, 0) / 60 as decimal(12, 1)) as call_minutes_30d,
    cast(floor(coalesce(data_bytes_7d, 0) / 1000000) as bigint) as data_megabytes_7d,
    cast(floor(coalesce(data_bytes_30d, 0) / 1000000) as bigint) as data_megabytes_30d,
    cast(floor(coalesce(data_bytes_90d, 0) / 1000000) as bigint) as data_megabytes_90d,
    cast(coalesce(charges_30d, 0) as decimal(12, 2)) as usage_charges_30d,
    cast(coalesce(roaming_events_30d, 0) as bigint) as roaming_events_30d,
    cast(events_30d * 3 / nullif(events_90d, 0) as decimal(6, 3)) as usage_trend,
    cast(
        events_30d / least({days_used} + 1, 30)
        / nullif(events_180d / ({days_used} + 1), 0) as decimal(6, 3)
    ) as usage_trend_180d,
    coalesce(tickets_30d, 0) as tickets_30d,
    coalesce(tickets_60d, 0) as tickets_60d,
    coalesce(tickets_90d, 0) as tickets_90d,
    coalesce(open_tickets, 0) as open_tickets,
    coalesce(payments_90d, 0) as payments_90d,
    coalesce(failed_payments_30d, 0) as failed_payments_30d,
    coalesce(failed_payments_60d, 0) as failed_payments_60d,
    coalesce(failed_payments_90d, 0) as failed_payments_90d,
    {days_between} as days_since_last_activity,
    {flags},
    is_senior_citizen,
    has_partner,
    has_dependents,
    has_paperless_billing,
    payment_method in ('bank_transfer_automatic', 'credit_card_automatic')
        as has_automatic_payment,
    churn_label as has_churned,
    known_customers.as_of_date + 30 < cast('{last_known_on}' as date) as is_label_known,
    case
        when known_customers.as_of_date + 30 < cast('{last_known_on}' as date) and not churn_label
            then churned_soon.customer_id is not null
    end as churned_within_30_days
from known_customers
left join known_usage
    on
        known_customers.customer_id = known_usage.customer_id
        and known_customers.as_of_date = known_usage.as_of_date
left join known_payments
    on
        known_customers.customer_id = known_payments.customer_id
        and known_customers.as_of_date = known_payments.as_of_date
left join known_tickets
    on
        known_customers.customer_id = known_tickets.customer_id
        and known_customers.as_of_date = known_tickets.as_of_date
left join churned_soon
    on
        known_customers.customer_id = churned_soon.customer_id
        and known_customers.as_of_date = churned_soon.as_of_date
