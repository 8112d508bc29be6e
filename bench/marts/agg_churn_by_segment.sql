with bounds as (

    select
        as_of_date,
        percentile_cont(0.99) within group (order by usage_charges_30d) as charges_bound,
        percentile_cont(0.99) within group (order by data_megabytes_30d) as megabytes_bound
    from ftr_customer_churn
    group by as_of_date

)

select
    features.contract_type,
    features.internet_service,
    features.payment_method,
    features.as_of_date,
    count(*) as customer_count,
    count_if(has_churned) as churned_count,
    cast(count_if(has_churned) / count(*) as decimal(5, 4)) as churn_rate,
    cast(sum(monthly_charges) as decimal(20, 2)) as monthly_charges_sum,
    cast(
        coalesce(sum(monthly_charges) filter (where has_churned), 0) as decimal(20, 2)
    ) as churned_monthly_charges_sum,
    cast(avg(tenure_months) as decimal(6, 2)) as average_tenure_months,
    cast(avg(least(usage_charges_30d, charges_bound)) as decimal(14, 2))
        as average_usage_charges_30d_capped,
    cast(avg(least(data_megabytes_30d, megabytes_bound)) as decimal(14, 2))
        as average_data_megabytes_30d_capped,
    count(churned_within_30_days) as labelled_count,
    count_if(churned_within_30_days) as churned_within_30_days_count
from ftr_customer_churn as features
inner join bounds on features.as_of_date = bounds.as_of_date
group by
    features.contract_type, features.internet_service, features.payment_method,
    features.as_of_date
