with customers as (

    select * from {{ ref('stg_crm_customers') }}

),

ranked as (

    select
        *,
        {{ latest_by(
            ['customer_id'],
            ['last_updated', '_landed_at', '_landing_object', '_source_row'],
        ) }} as recency
    from customers

),

latest as (

    select * except (recency)
    from ranked
    where recency = 1

)

select * from latest
