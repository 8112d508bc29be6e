with cleaned as (

    select * from {{ ref('base_crm_customers') }}

),

accepted as (

    select * except (reject_reasons)
    from cleaned
    where size(reject_reasons) = 0

)

select * from accepted
