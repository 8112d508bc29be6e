{{ config(materialized='ephemeral') }}

with customers as (

    select * from {{ ref('stg_crm_customers') }}

),

changes as (

    select
        -- ids
        customer_id,

        -- texts
        {% for column in [
            'gender', 'region', 'product_line', 'internet_service', 'contract_type',
            'payment_method',
        ] -%}
            if(is_deleted, null, {{ column }}) as {{ column }},
        {% endfor %}

        -- numerics
        {% for column in ['tenure_months', 'monthly_charges', 'total_charges'] -%}
            if(is_deleted, null, {{ column }}) as {{ column }},
        {% endfor %}

        -- booleans
        {% for column in [
            'is_senior_citizen', 'has_partner', 'has_dependents', 'has_phone_service',
            'has_multiple_lines', 'has_online_security', 'has_online_backup',
            'has_device_protection', 'has_tech_support', 'has_streaming_tv',
            'has_streaming_movies', 'has_paperless_billing', 'churn_label',
        ] -%}
            if(is_deleted, null, {{ column }}) as {{ column }},
        {% endfor %}

        -- timestamps
        if(is_deleted, null, event_timestamp) as event_timestamp,
        if(is_deleted, null, last_updated) as last_updated,

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
    from customers

)

select * from changes
