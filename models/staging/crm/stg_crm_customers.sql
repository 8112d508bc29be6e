{{ config(materialized='ephemeral') }}

with cleaned as (

    select * from {{ ref('base_crm_customers') }}

),

accepted as (

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

        -- what was done, and the order of it
        is_deleted,
        is_truncated,
        changed_at,
        changed_on,
        change_lsn,
        change_number,

        -- where the row came from
        _source_file,
        _source_row,
        _landed_at,
        _batch
    from cleaned
    where not is_rejected

)

select * from accepted
