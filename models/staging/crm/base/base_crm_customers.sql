{#-
    Each raw row once: trimmed, canonical, typed, with the reasons why it cannot be used. Rows come
    from captures, from files of states and from files of changes; what was done, when and in which
    order is told by each in its own way, and by one here.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['crm.customers'],
        partition_by=['months(changed_on)'],
    )
}}
{% set texts = [
    'customer_id', 'gender', 'senior_citizen', 'partner', 'dependents', 'tenure_months',
    'phone_service', 'multiple_lines', 'internet_service', 'online_security', 'online_backup',
    'device_protection', 'tech_support', 'streaming_tv', 'streaming_movies', 'contract_type',
    'paperless_billing', 'payment_method', 'monthly_charges', 'total_charges', 'churn_label',
    'region', 'product_line', 'event_timestamp', 'last_updated', 'change_seq', 'committed_at',
] %}
{% set mapped = {
    'gender': 'gender',
    'senior_citizen': 'yes_no',
    'partner': 'yes_no',
    'dependents': 'yes_no',
    'phone_service': 'yes_no',
    'multiple_lines': 'service',
    'internet_service': 'internet_service',
    'online_security': 'service',
    'online_backup': 'service',
    'device_protection': 'service',
    'tech_support': 'service',
    'streaming_tv': 'service',
    'streaming_movies': 'service',
    'contract_type': 'contract_type',
    'paperless_billing': 'yes_no',
    'payment_method': 'payment_method',
    'churn_label': 'yes_no',
    'region': 'region',
    'product_line': 'product_line',
    'change_op': 'change_op',
} %}
{% set typed = {
    'tenure_months': 'int',
    'monthly_charges': 'decimal(10, 2)',
    'total_charges': 'decimal(12, 2)',
    'event_timestamp': 'timestamp',
    'last_updated': 'timestamp',
    'change_seq': 'bigint',
    'committed_at': 'timestamp',
} %}
{% set required = ['tenure_months', 'contract_type', 'monthly_charges', 'last_updated'] %}
{% set rules = {
    'customer_id_malformed': is_malformed_key('customer_id'),
    'customer_id_missing': "customer_id is null and not change_op_value <=> 't'",
    'tenure_months_negative': 'tenure_months_value < 0',
    'monthly_charges_negative': 'monthly_charges_value < 0',
    'unchanged_columns_not_sent': '_unchanged is not null',
} %}

with source as (

    select * from {{ source('raw', 'crm_customers') }}
    where {{ in_new_batches() }}

),

trimmed as (

    select
        {% for column in texts -%}
            {{ blank_to_null(column) }} as {{ column }},
        {% endfor -%}
        lower(coalesce(_op, {{ blank_to_null('change_op') }}, 'r')) as change_op,
        _unchanged,
        _lsn,
        _committed_at,
        _source_file,
        _source_row,
        _delivered_at,
        _landed_at,
        _batch,
        {{ canonical_map() }} as canonical_map
    from source

),

valued as (

    select
        *,
        {{ values_of(mapped, typed) }}
    from trimmed

),

judged as (

    select
        *,
        {{ reject_reasons(
            required, mapped, typed, rules, "coalesce(change_op_value in ('d', 't'), false)"
        ) }} as reject_reasons
    from valued

),

renamed as (

    select
        -- ids
        customer_id,

        -- texts
        gender_value as gender,
        region_value as region,
        product_line_value as product_line,
        internet_service_value as internet_service,
        contract_type_value as contract_type,
        payment_method_value as payment_method,

        -- numerics
        tenure_months_value as tenure_months,
        monthly_charges_value as monthly_charges,
        total_charges_value as total_charges,

        -- booleans
        cast(senior_citizen_value as boolean) as is_senior_citizen,
        cast(partner_value as boolean) as has_partner,
        cast(dependents_value as boolean) as has_dependents,
        cast(phone_service_value as boolean) as has_phone_service,
        {% for column in [
            'multiple_lines', 'online_security', 'online_backup', 'device_protection',
            'tech_support', 'streaming_tv', 'streaming_movies',
        ] -%}
            cast({{ column }}_value as boolean) as has_{{ column }},
        {% endfor -%}
        cast(paperless_billing_value as boolean) as has_paperless_billing,
        cast(churn_label_value as boolean) as churn_label,

        -- timestamps
        event_timestamp_value as event_timestamp,
        last_updated_value as last_updated,

        -- what was done, and the order of it
        change_op_value as change_op,
        coalesce(change_op_value = 'd', false) as is_deleted,
        coalesce(change_op_value = 't', false) as is_truncated,
        coalesce(_committed_at, committed_at_value, last_updated_value) as changed_at,
        coalesce(_lsn, change_seq_value) as change_lsn,
        if(_lsn is null, null, _source_row) as change_number,

        -- where the row came from
        _source_file,
        _source_row,
        _delivered_at,
        _landed_at,
        _batch,
        reject_reasons,
        size(reject_reasons) > 0 as is_rejected
    from judged

),

dated as (

    select
        *,
        cast(changed_at as date) as changed_on
    from renamed

)

select * from dated
