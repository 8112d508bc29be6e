{{
    config(
        materialized='incremental',
        incremental_strategy='upsert',
        new_rows_of=['crm.customers'],
        unique_key=['customer_id'],
        deleted_flag='is_deleted',
    )
}}

with customers as (

    select * from {{ ref('int_customers__latest') }}
    -- A truncation of the master is a row too, without a customer.
    where
        customer_id is not null
        and {{ in_new_batches() }}

),

final as (

    select
        -- ids
        customer_id,

        -- texts
        gender,
        region,
        product_line,
        internet_service,
        contract_type,
        payment_method,

        -- numerics
        tenure_months,
        monthly_charges,
        total_charges,

        -- booleans
        is_senior_citizen,
        has_partner,
        has_dependents,
        has_phone_service,
        has_multiple_lines,
        has_online_security,
        has_online_backup,
        has_device_protection,
        has_tech_support,
        has_streaming_tv,
        has_streaming_movies,
        has_paperless_billing,
        churn_label,

        -- timestamps
        event_timestamp,
        last_updated,

        -- where the row came from
        is_deleted,
        _batch
    from customers

)

select * from final
