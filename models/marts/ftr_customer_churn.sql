{{ config(partition_by=['as_of_date']) }}

{% set services = [
    'has_phone_service', 'has_multiple_lines', 'has_online_security', 'has_online_backup',
    'has_device_protection', 'has_tech_support', 'has_streaming_tv', 'has_streaming_movies',
] %}

with customers as (

    select * from {{ ref('dim_customers') }}

),

features as (

    select
        -- ids
        customer_id,
        cast(last_updated as date) as as_of_date,

        -- texts
        contract_type,
        internet_service,
        payment_method,

        -- numerics
        tenure_months,
        monthly_charges,
        total_charges,
        cast(
            coalesce(total_charges / nullif(tenure_months, 0), monthly_charges) as decimal(10, 2)
        ) as average_monthly_charges,
        {% for service in services -%}
            cast(coalesce({{ service }}, false) as int){{ ' + ' if not loop.last }}
        {%- endfor %} as service_count,

        -- booleans
        is_senior_citizen,
        has_partner,
        has_dependents,
        has_paperless_billing,
        payment_method in (
            'bank_transfer_automatic', 'credit_card_automatic'
        ) as has_automatic_payment,
        churn_label,

        -- timestamps
        event_timestamp,
        last_updated
    from customers

)

select * from features
