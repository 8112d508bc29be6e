{{ config(partition_by=['as_of_date']) }}

with features as (

    select * from {{ ref('ftr_customer_churn') }}

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
        count_if(churn_label) as churned_count,
        cast(count_if(churn_label) / count(churn_label) as decimal(5, 4)) as churn_rate,
        sum(monthly_charges) as monthly_charges_sum,
        cast(
            coalesce(sum(monthly_charges) filter (where churn_label), 0) as decimal(20, 2)
        ) as churned_monthly_charges_sum,
        cast(avg(tenure_months) as decimal(6, 2)) as average_tenure_months
    from features
    group by contract_type, internet_service, payment_method, as_of_date

)

select * from segments
