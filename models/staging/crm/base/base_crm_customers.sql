{#-
    Each raw row once: trimmed, canonical, typed, with the reasons why it cannot be used. The
    accepted and the rejected table are the two halves of this.
-#}
{% set texts = [
    'customer_id', 'gender', 'senior_citizen', 'partner', 'dependents', 'tenure_months',
    'phone_service', 'multiple_lines', 'internet_service', 'online_security', 'online_backup',
    'device_protection', 'tech_support', 'streaming_tv', 'streaming_movies', 'contract_type',
    'paperless_billing', 'payment_method', 'monthly_charges', 'total_charges', 'churn_label',
    'event_timestamp', 'last_updated',
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
} %}
{% set typed = {
    'tenure_months': 'int',
    'monthly_charges': 'decimal(10, 2)',
    'total_charges': 'decimal(12, 2)',
    'event_timestamp': 'timestamp',
    'last_updated': 'timestamp',
} %}
{% set required = [
    'customer_id', 'tenure_months', 'contract_type', 'monthly_charges', 'last_updated',
] %}

with source as (

    select * from {{ source('raw', 'crm_customers') }}

),

canonical_values as (

    {{ canonical_map() }}

),

trimmed as (

    select
        {% for column in texts -%}
            {{ blank_to_null(column) }} as {{ column }},
        {% endfor -%}
        _source_file,
        _source_row,
        _landed_at,
        _landing_object
    from source

),

judged as (

    select
        trimmed.*,
        canonical_values.canonical_map,
        array_compact(array(
            {% for column in required -%}
                case when {{ column }} is null then '{{ column }}_missing' end,
            {% endfor -%}
            {% for column, domain in mapped.items() -%}
                case when {{ is_unmapped(column, domain) }} then '{{ column }}_unmapped' end,
            {% endfor -%}
            {% for column, type in typed.items() -%}
                case
                    when {{ is_not_castable(column, type) }}
                        then '{{ column }}_not_{{ type.split('(')[0] }}'
                end,
            {% endfor -%}
            case when try_cast(trimmed.tenure_months as int) < 0 then 'tenure_months_negative' end,
            case
                when try_cast(trimmed.monthly_charges as decimal(10, 2)) < 0
                    then 'monthly_charges_negative'
            end
        )) as reject_reasons
    from trimmed
    cross join canonical_values

),

renamed as (

    select
        -- ids
        customer_id,

        -- texts
        {{ canonical('gender', mapped.gender) }} as gender,
        {{ canonical('internet_service', mapped.internet_service) }} as internet_service,
        {{ canonical('contract_type', mapped.contract_type) }} as contract_type,
        {{ canonical('payment_method', mapped.payment_method) }} as payment_method,

        -- numerics
        try_cast(tenure_months as {{ typed.tenure_months }}) as tenure_months,
        try_cast(monthly_charges as {{ typed.monthly_charges }}) as monthly_charges,
        try_cast(total_charges as {{ typed.total_charges }}) as total_charges,

        -- booleans
        cast({{ canonical('senior_citizen', 'yes_no') }} as boolean) as is_senior_citizen,
        cast({{ canonical('partner', 'yes_no') }} as boolean) as has_partner,
        cast({{ canonical('dependents', 'yes_no') }} as boolean) as has_dependents,
        cast({{ canonical('phone_service', 'yes_no') }} as boolean) as has_phone_service,
        {% for column in [
            'multiple_lines', 'online_security', 'online_backup', 'device_protection',
            'tech_support', 'streaming_tv', 'streaming_movies',
        ] -%}
            cast({{ canonical(column, 'service') }} as boolean) as has_{{ column }},
        {% endfor -%}
        cast({{ canonical('paperless_billing', 'yes_no') }} as boolean) as has_paperless_billing,
        cast({{ canonical('churn_label', 'yes_no') }} as boolean) as churn_label,

        -- timestamps
        try_cast(event_timestamp as timestamp) as event_timestamp,
        try_cast(last_updated as timestamp) as last_updated,

        -- where the row came from
        _source_file,
        _source_row,
        _landed_at,
        _landing_object,
        reject_reasons
    from judged

)

select * from renamed
