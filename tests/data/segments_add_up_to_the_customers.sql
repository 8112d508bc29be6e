{#- Every customer is in exactly one segment of a day, with its charges. -#}
{% set written = in_written_partitions(ref('ftr_customer_churn'), 'as_of_date') %}

with features as (

    select
        as_of_date,
        count(*) as customer_count,
        sum(monthly_charges) as monthly_charges
    from {{ ref('ftr_customer_churn') }}
    where {{ written }}
    group by as_of_date

),

segments as (

    select
        as_of_date,
        sum(customer_count) as customer_count,
        sum(monthly_charges_sum) as monthly_charges
    from {{ ref('agg_churn_by_segment') }}
    where {{ written }}
    group by as_of_date

)

select
    features.as_of_date,
    features.customer_count,
    segments.customer_count as segment_customer_count
from features
left join segments on features.as_of_date = segments.as_of_date
where
    not (features.customer_count <=> segments.customer_count)
    or not (features.monthly_charges <=> segments.monthly_charges)
