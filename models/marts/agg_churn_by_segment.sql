{{
    config(
        materialized='incremental',
        tags=['daily'],
        incremental_strategy='insert_overwrite',
        dates_of='ftr_customer_churn',
        partition_by=['as_of_date'],
    )
}}

{% set is_touched = in_new_dates('as_of_date') %}

with features as (

    select * from {{ ref('ftr_customer_churn') }}
    where {{ is_touched }}

),

bounds as (

    select
        as_of_date,
        map_from_entries(
            collect_list(struct(feature, struct(lower_bound, upper_bound)))
        ) as bounds_of
    from {{ ref('ftr_winsor_bounds') }}
    where {{ is_touched }}
    group by as_of_date

),

bounded as (

    select
        features.*,
        bounds.bounds_of
    from features
    inner join bounds on features.as_of_date = bounds.as_of_date

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
        {% for feature in ['usage_charges_30d', 'data_megabytes_30d'] -%}
            cast(
                avg({{ winsorize(feature) }}) as decimal(14, 2)
            ) as average_{{ feature }}_capped,
        {% endfor %}
        count(churned_within_30_days) as labelled_count,
        count_if(churned_within_30_days) as churned_within_30_days_count,

        -- timestamps
        max(built_at) as built_at
    from bounded
    group by contract_type, internet_service, payment_method, as_of_date

)

select * from segments
