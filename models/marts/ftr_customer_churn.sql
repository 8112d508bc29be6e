{{
    config(
        materialized='incremental',
        tags=['daily'],
        incremental_strategy='insert_overwrite',
        as_of_dates=true,
        new_rows_of={
            'crm.customers': '_customers_batch',
            'usage.events': '_usage_batch',
            'billing.payments': '_payments_batch',
            'support.tickets': '_tickets_batch',
        },
        partition_by=['as_of_date'],
        sort_by=['customer_id'],
    )
}}
{% set last_known_on = last_known_date() %}
{% set labelled = labelled_dates() %}
{% set features = [
    'region', 'product_line', 'contract_type', 'internet_service', 'payment_method',

    'tenure_months', 'monthly_charges', 'total_charges', 'average_monthly_charges',
    'service_count', 'usage_events_7d', 'usage_events_30d', 'usage_events_90d',
    'usage_events_180d', 'call_minutes_30d', 'data_megabytes_7d', 'data_megabytes_30d', 'data_megabytes_90d',
    'usage_charges_30d', 'roaming_events_30d', 'usage_trend', 'usage_trend_180d', 'tickets_30d', 'tickets_60d',
    'tickets_90d',
    'open_tickets', 'payments_90d', 'failed_payments_30d', 'failed_payments_60d',
    'failed_payments_90d',
    'days_since_last_activity',

    'has_phone_service', 'has_multiple_lines', 'has_online_security', 'has_online_backup',
    'has_device_protection', 'has_tech_support', 'has_streaming_tv', 'has_streaming_movies',
    'is_senior_citizen', 'has_partner', 'has_dependents', 'has_paperless_billing',
    'has_automatic_payment', 'has_churned',
] %}
{% set sources = ['_customers_batch', '_usage_batch', '_payments_batch', '_tickets_batch'] %}
{% set columns = (['customer_id', 'as_of_date'] + features + sources) | join(', ') %}
-- depends_on: {{ ref('customers_history') }}

with features as (

    select {{ columns }} from {{ ref('int_customer_features') }}
    {% if labelled -%}
        -- The features of these dates stand, and their labels have become known.
        union all
        select {{ columns }} from {{ this }}
        where {{ in_dates('as_of_date', labelled) }}
    {%- endif %}

),

dates as (

    {{ date_rows(feature_dates() + labelled) }}

),

churned_soon as (

    select distinct
        churns.customer_id,
        dates.as_of_date
    from {{ ref('int_churns') }} as churns
    inner join dates
        on
            churns.churned_at >= date_add(dates.as_of_date, 1)
            and churns.churned_at < date_add(dates.as_of_date, 31)

),

labels as (

    select
        features.*,
        date_add(features.as_of_date, 30) < date '{{ last_known_on }}' as is_label_known,
        churned_soon.customer_id is not null as churns_within_30_days
    from features
    left join churned_soon
        on
            features.customer_id = churned_soon.customer_id
            and features.as_of_date = churned_soon.as_of_date

),

final as (

    select
        -- ids
        customer_id,
        as_of_date,

        -- texts, numerics and booleans
        {% for feature in features -%}
            {{ feature }},
        {% endfor -%}
        is_label_known,
        if(
            is_label_known and not has_churned, churns_within_30_days, null
        ) as churned_within_30_days,

        -- what it was built from
        {% for source in sources -%}
            {{ source }},
        {% endfor -%}
        current_timestamp() as built_at
    from labels

)

select * from final
