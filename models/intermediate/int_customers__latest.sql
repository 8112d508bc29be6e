{{
    config(
        materialized='incremental',
        incremental_strategy='apply_changes',
        new_rows_of=['crm.customers'],
        unique_key=['customer_id'],
        sequence_by=var('customer_change_order'),
        deleted_flag='is_deleted',
        truncated_flag='is_truncated',
    )
}}

with changes as (

    select * from {{ ref('int_customers__changes') }}
    where {{ in_new_batches() }}

),

renamed as (

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
        change_lsn,
        change_number,

        -- where the row came from
        _source_file,
        _source_row,
        _batch
    from changes

)

select * from renamed
