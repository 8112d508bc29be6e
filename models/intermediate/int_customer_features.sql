{#-
    What was known of each customer as a day ended. It sees nothing that was committed or delivered
    later, so a date is the same whenever it is computed. ftr_customer_churn has its rows.
-#}
{{ config(materialized='ephemeral') }}
{% set dates = feature_dates() %}
{% set first = "date_sub(date '" ~ (dates | first or '1970-01-01') ~ "', 89)" %}
{# Usage is looked at for longer: a decline shows against what was before it. #}
{% set first_used = "date_sub(date '" ~ (dates | first or '1970-01-01') ~ "', 179)" %}
{% set last = "date '" ~ (dates | last or '1970-01-01') ~ "'" %}
{% set services = [
    'has_phone_service', 'has_multiple_lines', 'has_online_security', 'has_online_backup',
    'has_device_protection', 'has_tech_support', 'has_streaming_tv', 'has_streaming_movies',
] %}
{% set versioned = {
    'payments': {
        'key': 'payment_id',
        'day': 'paid_on',
        'versions': ref('int_payments__versions'),
    },
    'tickets': {
        'key': 'ticket_id',
        'day': 'opened_on',
        'versions': ref('int_support_tickets__versions'),
    },
} %}

with dates as (

    {{ date_rows(dates) }}

),

-- What is known of a customer meets in one task before it is joined to each date: rows that
-- have a dozen dates are shuffled once.
history as (

    select /*+ repartition(customer_id) */ *
    from {{ ref('customers_history') }}
    where customer_id is not null

),

built_from as (

    select
        (select max(_batch) from {{ ref('customers_history') }}) as _customers_batch,
        (select max(_batch) from {{ ref('int_usage_daily') }}) as _usage_batch,
        (select max(_batch) from {{ ref('int_payments__versions') }}) as _payments_batch,
        (select max(_batch) from {{ ref('int_support_tickets__versions') }}) as _tickets_batch

),

customers as (

    select
        history.*,
        dates.as_of_date
    from history
    inner join dates
        on {{ valid_as_of('history', 'dates.as_of_date') }}

),

usage_gathered as (

    select /*+ repartition(customer_id) */ *
    from {{ ref('int_usage_daily') }}
    where usage_date between {{ first_used }} and {{ last }}

),

usage as (

    select
        daily.customer_id,
        dates.as_of_date,
        {% for days in [7, 30, 90] -%}
            {% for measure in ['events', 'call_seconds', 'data_bytes', 'charges'] -%}
                sum(daily.{{ measure }}) filter (
                    where daily.usage_date > date_sub(dates.as_of_date, {{ days }})
                ) as {{ measure }}_{{ days }}d,
            {% endfor -%}
        {% endfor -%}
        sum(daily.events) as events_180d,
        date_diff(
            dates.as_of_date, min(daily.usage_date) filter (where daily.events > 0)
        ) + 1 as days_used_180d,
        sum(daily.roaming_events) filter (
            where daily.usage_date > date_sub(dates.as_of_date, 30)
        ) as roaming_events_30d,
        max(daily.usage_date) filter (
            where
            daily.events > 0
            and daily.usage_date > date_sub(dates.as_of_date, 90)
            and coalesce(daily.emptied_on > dates.as_of_date, true)
        ) as last_used_on
    from usage_gathered as daily
    inner join dates
        on
            daily.known_on <= dates.as_of_date
            and daily.usage_date between date_sub(dates.as_of_date, 179) and dates.as_of_date
    group by daily.customer_id, dates.as_of_date

),

{% for name, table in versioned.items() -%}
    -- A version stands from the day on which it became known until a later one does.
    {{ name }}_standing as (

        select
            *,
            min(known_on) over (
                partition by {{ table.key }}
                order by emitted_at, not is_moved
                rows between 1 following and unbounded following
            ) as superseded_on
        from {{ table.versions }}
        where {{ table.day }} between {{ first }} and {{ last }}

    ),

    {{ name }}_gathered as (

        select /*+ repartition(customer_id) */ *
        from {{ name }}_standing
        where not is_moved

    ),

    {{ name }}_known as (

        select
            versions.*,
            dates.as_of_date
        from {{ name }}_gathered as versions
        inner join dates
            on
                versions.known_on <= dates.as_of_date
                and coalesce(versions.superseded_on > dates.as_of_date, true)
                and versions.{{ table.day }}
                between date_sub(dates.as_of_date, 89) and dates.as_of_date

    ),

{% endfor -%}

payments as (

    select
        customer_id,
        as_of_date,
        count(*) as payments_90d,
        {% for days in [30, 60, 90] -%}
            count_if(
                payment_status = 'failed' and paid_on > date_sub(as_of_date, {{ days }})
            ) as failed_payments_{{ days }}d,
        {% endfor -%}
        max(paid_on) as last_paid_on
    from payments_known
    group by customer_id, as_of_date

),

tickets as (

    select
        customer_id,
        as_of_date,
        count_if(opened_on > date_sub(as_of_date, 30)) as tickets_30d,
        count_if(opened_on > date_sub(as_of_date, 60)) as tickets_60d,
        count(*) as tickets_90d,
        count_if(closed_at is null) as open_tickets,
        max(opened_on) as last_opened_on
    from tickets_known
    group by customer_id, as_of_date

),

features as (

    select
        -- ids
        customers.customer_id,
        customers.as_of_date,

        -- texts
        customers.region,
        customers.product_line,
        customers.contract_type,
        customers.internet_service,
        customers.payment_method,

        -- numerics
        customers.tenure_months,
        customers.monthly_charges,
        customers.total_charges,
        cast(
            coalesce(
                customers.total_charges / nullif(customers.tenure_months, 0),
                customers.monthly_charges
            ) as decimal(10, 2)
        ) as average_monthly_charges,
        {% for service in services -%}
            cast(coalesce(customers.{{ service }}, false) as int){{ ' + ' if not loop.last }}
        {%- endfor %} as service_count,
        {% for days in [7, 30, 90] -%}
            coalesce(usage.events_{{ days }}d, 0) as usage_events_{{ days }}d,
        {% endfor -%}
        coalesce(usage.events_180d, 0) as usage_events_180d,
        cast(coalesce(usage.call_seconds_30d, 0) / 60 as decimal(12, 1)) as call_minutes_30d,
        {% for days in [7, 30, 90] -%}
            cast(coalesce(usage.data_bytes_{{ days }}d, 0) div 1000000 as bigint)
                as data_megabytes_{{ days }}d,
        {% endfor -%}
        cast(coalesce(usage.charges_30d, 0) as decimal(12, 2)) as usage_charges_30d,
        coalesce(usage.roaming_events_30d, 0) as roaming_events_30d,
        cast(usage.events_30d * 3 / nullif(usage.events_90d, 0) as decimal(6, 3)) as usage_trend,
        cast(
            usage.events_30d / least(usage.days_used_180d, 30)
            / nullif(usage.events_180d / usage.days_used_180d, 0) as decimal(6, 3)
        ) as usage_trend_180d,
        coalesce(tickets.tickets_30d, 0) as tickets_30d,
        coalesce(tickets.tickets_60d, 0) as tickets_60d,
        coalesce(tickets.tickets_90d, 0) as tickets_90d,
        coalesce(tickets.open_tickets, 0) as open_tickets,
        coalesce(payments.payments_90d, 0) as payments_90d,
        coalesce(payments.failed_payments_30d, 0) as failed_payments_30d,
        coalesce(payments.failed_payments_60d, 0) as failed_payments_60d,
        coalesce(payments.failed_payments_90d, 0) as failed_payments_90d,
        date_diff(
            customers.as_of_date,
            greatest(usage.last_used_on, payments.last_paid_on, tickets.last_opened_on)
        ) as days_since_last_activity,

        -- booleans
        {% for service in services -%}
            customers.{{ service }},
        {% endfor -%}
        customers.is_senior_citizen,
        customers.has_partner,
        customers.has_dependents,
        customers.has_paperless_billing,
        customers.payment_method in (
            'bank_transfer_automatic', 'credit_card_automatic'
        ) as has_automatic_payment,
        coalesce(customers.churn_label, false) as has_churned,

        -- what it was built from
        coalesce(built_from._customers_batch, -1) as _customers_batch,
        coalesce(built_from._usage_batch, -1) as _usage_batch,
        coalesce(built_from._payments_batch, -1) as _payments_batch,
        coalesce(built_from._tickets_batch, -1) as _tickets_batch
    from customers
    left join usage
        on
            customers.customer_id = usage.customer_id
            and customers.as_of_date = usage.as_of_date
    left join payments
        on
            customers.customer_id = payments.customer_id
            and customers.as_of_date = payments.as_of_date
    left join tickets
        on
            customers.customer_id = tickets.customer_id
            and customers.as_of_date = tickets.as_of_date
    cross join built_from

)

select * from features
