{#-
    Looks each accepted row of a new batch up where it must have ended: in the tables that hold the
    latest of its key, row by row, and for usage, which is summed, by the customer's day.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        by_dates=true,
        new_rows_of=[
            'crm.customers', 'usage.events', 'billing.payments', 'support.tickets',
        ],
    )
}}
{% set base = {
    'crm.customers': ref('base_crm_customers'),
    'usage.events': ref('base_usage_events'),
    'billing.payments': ref('base_billing_payments'),
    'support.tickets': ref('base_support_tickets'),
} %}
{% set change_order = var('customer_change_order') %}
{% set dates = {
    'usage.events': in_new_dates('usage_date', 'usage.events'),
    'billing.payments': in_new_dates('billed_on', 'billing.payments'),
    'support.tickets': in_new_dates('opened_on', 'support.tickets'),
} %}
{% set versioned = {
    'payments': {
        'source_name': 'billing.payments',
        'key': 'payment_id',
        'staged': ref('stg_billing_payments'),
        'versions': ref('int_payments__versions'),
        'latest': ref('fct_payments'),
    },
    'tickets': {
        'source_name': 'support.tickets',
        'key': 'ticket_id',
        'staged': ref('stg_support_tickets'),
        'versions': ref('int_support_tickets__versions'),
        'latest': ref('fct_support_tickets'),
    },
} %}

with accepted as (

    {% for source_name, relation in base.items() -%}
        select
            '{{ source_name }}' as source_name,
            _batch as batch,
            count_if(not is_rejected) as accepted_rows,
            count_if(is_rejected) as rejected_rows
        from {{ relation }}
        where {{ in_new_batches(source_name) }}
        group by _batch
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

customers as (

    select
        delivered._batch as batch,
        case
            when {{ sequence(change_order, 'latest') }} > {{ sequence(change_order, 'delivered') }}
                then 'superseded'
            when {{ sequence(change_order, 'latest') }} < {{ sequence(change_order, 'delivered') }}
                then 'lost'
            when
                (delivered.is_deleted or delivered.is_truncated) and dim.customer_id is null
                then 'deleted'
            when dim._batch = delivered._batch then 'current'
        end as fate
    from {{ ref('stg_crm_customers') }} as delivered
    -- A truncation has no customer, and stays as a row all the same.
    left join {{ ref('int_customers__latest') }} as latest
        on delivered.customer_id <=> latest.customer_id
    left join {{ ref('dim_customers') }} as dim
        on delivered.customer_id = dim.customer_id
    where {{ in_new_batches('crm.customers', 'delivered._batch') }}

),

usage_versions as (

    select
        event_id,
        customer_id,
        usage_date,
        emitted_at,
        _source_file,
        _source_row,
        _batch as _version_batch,
        _batch,
        false as is_moved
    from {{ ref('stg_usage_events') }}
    where {{ dates['usage.events'] }}
    union all
    select
        event_id,
        customer_id,
        usage_date,
        emitted_at,
        _source_file,
        _source_row,
        _version_batch,
        _batch,
        true as is_moved
    from {{ ref('int_usage_events__moved') }}
    where event_id is not null and {{ dates['usage.events'] }}

),

usage_gathered as (

    select /*+ repartition(customer_id, usage_date) */ *
    from usage_versions

),

usage_ranked as (

    select
        *,
        {{ latest_by(
            ['customer_id', 'usage_date', 'event_id'],
            ['emitted_at', '-_version_batch', '_source_file', '_source_row'],
        ) }} as recency
    from usage_gathered

),

usage as (

    select
        customer_id,
        usage_date,
        _batch,
        is_moved,
        recency,
        nullif(
            count_if(recency = 1 and not is_moved) over (partition by customer_id, usage_date), 0
        ) as events_of_day
    from usage_ranked

),

daily as (

    select
        customer_id,
        usage_date,
        events
    from {{ ref('fct_usage_daily') }}
    where {{ dates['usage.events'] }}

),

events as (

    select
        usage._batch as batch,
        case
            when not usage.events_of_day <=> daily.events then 'lost'
            when usage.recency = 1 then 'current'
            else 'superseded'
        end as fate
    from usage
    left join daily
        on usage.customer_id = daily.customer_id and usage.usage_date = daily.usage_date
    where not usage.is_moved and {{ in_new_batches('usage.events', 'usage._batch') }}

),

{% for name, table in versioned.items() -%}
    {{ name }}_versions as (

        select
            {{ table.key }},
            emitted_at,
            _batch,
            _source_file,
            _source_row
        from {{ table.versions }}
        where not is_moved and {{ dates[table.source_name] }}

    ),

    {{ name }}_latest as (

        select
            {{ table.key }},
            emitted_at
        from {{ table.latest }}
        where {{ dates[table.source_name] }}

    ),

    {{ name }} as (

        select
            delivered._batch as batch,
            case
                when latest.emitted_at > delivered.emitted_at then 'superseded'
                when latest.emitted_at < delivered.emitted_at then 'lost'
                when
                    versions._batch = delivered._batch
                    and versions._source_file = delivered._source_file
                    and versions._source_row = delivered._source_row
                    then 'current'
                -- A copy of it counts.
                when versions._batch is not null then 'superseded'
            end as fate
        from {{ table.staged }} as delivered
        left join {{ name }}_versions as versions
            on
                delivered.{{ table.key }} = versions.{{ table.key }}
                and delivered.emitted_at = versions.emitted_at
        left join {{ name }}_latest as latest
            on delivered.{{ table.key }} = latest.{{ table.key }}
        where {{ in_new_batches(table.source_name, 'delivered._batch') }}

    ),

{% endfor -%}

fates as (

    select
        'crm.customers' as source_name,
        batch,
        fate
    from customers
    union all
    select
        'usage.events' as source_name,
        batch,
        fate
    from events
    {% for name, table in versioned.items() -%}
        union all
        select
            '{{ table.source_name }}' as source_name,
            batch,
            fate
        from {{ name }}
    {% endfor %}
),

counted as (

    select
        source_name,
        batch,
        count_if(fate = 'current') as current_rows,
        count_if(fate = 'superseded') as superseded_rows,
        count_if(fate = 'deleted') as deleted_rows
    from fates
    group by source_name, batch

),

final as (

    select
        -- ids
        accepted.source_name,
        accepted.batch,

        -- numerics
        accepted.accepted_rows,
        accepted.rejected_rows,
        coalesce(counted.current_rows, 0) as current_rows,
        coalesce(counted.superseded_rows, 0) as superseded_rows,
        coalesce(counted.deleted_rows, 0) as deleted_rows
    from accepted
    left join counted
        on
            accepted.source_name = counted.source_name
            and accepted.batch = counted.batch

)

select * from final
