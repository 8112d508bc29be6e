{{
    config(
        materialized='incremental',
        tags=['daily'],
        incremental_strategy='insert_overwrite',
        dates_of='int_customer_features',
        partition_by=['as_of_date'],
        sort_by=['customer_id'],
    )
}}
{% set capped = winsorized_features() %}
{% set last_known_on = last_known_date() %}
{% set is_touched = in_new_dates('as_of_date') %}
-- depends_on: {{ ref('customers_history') }}

with features as (

    select * from {{ ref('int_customer_features') }}
    where {{ is_touched }}

),

bounds as (

    select
        as_of_date,
        map_from_entries(
            collect_list(struct(feature, struct(lower_bound, upper_bound)))
        ) as bounds_of
    from {{ ref('int_winsor_bounds') }}
    where {{ is_touched }}
    group by as_of_date

),

churns as (

    select * from {{ ref('int_churns') }}

),

churned_soon as (

    select distinct
        churns.customer_id,
        bounds.as_of_date
    from churns
    inner join bounds
        on
            churns.churned_at >= date_add(bounds.as_of_date, 1)
            and churns.churned_at < date_add(bounds.as_of_date, 31)

),

labelled as (

    select
        features.*,
        bounds.bounds_of,
        date_add(features.as_of_date, 30) < date '{{ last_known_on }}' as is_label_known,
        churned_soon.customer_id is not null as churns_within_30_days
    from features
    inner join bounds on features.as_of_date = bounds.as_of_date
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

        -- texts
        region,
        product_line,
        contract_type,
        internet_service,
        payment_method,

        -- numerics
        tenure_months,
        {% for feature in [
            'monthly_charges', 'total_charges', 'average_monthly_charges', 'service_count',
            'usage_events_7d', 'usage_events_30d', 'usage_events_90d', 'call_minutes_30d',
            'data_megabytes_7d', 'data_megabytes_30d', 'data_megabytes_90d', 'usage_charges_30d',
            'roaming_events_30d', 'usage_trend', 'tickets_30d', 'tickets_90d', 'open_tickets',
            'payments_90d', 'failed_payments_30d', 'failed_payments_90d',
            'days_since_last_activity',
        ] -%}
            {{ feature }},
            {% if feature in capped -%}
                {{ winsorize(feature) }} as {{ feature }}_capped,
            {% endif -%}
        {% endfor %}

        -- booleans
        {% for feature in capped -%}
            coalesce({{ feature }} <> {{ winsorize(feature) }}, false) as is_{{ feature }}_capped,
        {% endfor -%}
        is_senior_citizen,
        has_partner,
        has_dependents,
        has_paperless_billing,
        has_automatic_payment,
        has_churned,
        is_label_known,
        if(
            is_label_known and not has_churned, churns_within_30_days, null
        ) as churned_within_30_days,

        -- timestamps
        built_at as features_built_at,
        current_timestamp() as built_at
    from labelled

)

select * from final
