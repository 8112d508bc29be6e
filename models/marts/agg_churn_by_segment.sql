{{
    config(
        materialized='incremental',
        tags=['daily'],
        incremental_strategy='insert_overwrite',
        dates_of='ftr_customer_churn',
        partition_by=['as_of_date'],
    )
}}

with features as (

    select * from {{ ref('ftr_customer_churn') }}
    where {{ in_new_dates('as_of_date') }}

),

segments as (

    select
        -- ids
        contract_type,
        internet_service,
        payment_method,
        as_of_date,

        -- numerics
        count(*) as customer_count,
        count_if(has_churned) as churned_count,
        cast(count_if(has_churned) / count(*) as decimal(5, 4)) as churn_rate,
        cast(sum(monthly_charges) as decimal(20, 2)) as monthly_charges_sum,
        cast(
            coalesce(sum(monthly_charges) filter (where has_churned), 0) as decimal(20, 2)
        ) as churned_monthly_charges_sum,
        cast(avg(tenure_months) as decimal(6, 2)) as average_tenure_months,
        count(churned_within_30_days) as labelled_count,
        count_if(churned_within_30_days) as churned_within_30_days_count,

        -- timestamps
        max(built_at) as built_at
    from features
    group by contract_type, internet_service, payment_method, as_of_date

)

select * from segments
