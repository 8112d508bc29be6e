{#- Tickets as they were sent: when opened, and again when closed. The later one counts. -#}
{% from 'macros.sql' import u, pick, dirt, skew, variant, number, time, line with context %}
with opened as (

    select
        n, customer_id, opened_at,
        states[size(states) - 1].region as region_no,
        payments, churn_at, internet_service_now
    from (
        select *, states[size(states) - 1].internet as internet_service_now from lives
    )
    lateral view explode(tickets) as opened_at

),

described as (

    select
        n, customer_id, opened_at, region_no,
        case
            -- Who could not pay asks about the bill.
            when exists(
                payments,
                t -> t.failed and t.at < opened_at and t.at > opened_at - 1209600
            ) then 'billing'
            when {{ u('ticket_about', 'opened_at') }}
                < if(internet_service_now = 'No', 0.2D, 0.5D) then 'technical'
            when {{ u('ticket_about', 'opened_at') }} < 0.75D then 'billing'
            when {{ u('ticket_about', 'opened_at') }} < 0.93D then 'service'
            else 'cancellation'
        end as category,
        case
            when {{ u('ticket_priority', 'opened_at') }} < 0.25D then 'low'
            when {{ u('ticket_priority', 'opened_at') }} < 0.8D then 'normal'
            else 'high'
        end as priority,
        opened_at + 14400 + {{ pick(604800, 'ticket_takes', 'opened_at') }} as closes_at,
        if(
            {{ u('ticket_rates', 'opened_at') }} < 0.7D,
            greatest(1L, least(5L,
                5 - {{ pick(7, 'ticket_takes', 'opened_at') }} div 2
                + {{ pick(3, 'ticket_mood', 'opened_at') }} - 1
            )),
            null
        ) as rating
    from opened

),

versioned as (

    select
        *,
        filter(
            array(
                named_struct('version', 1, 'emitted', opened_at + 2),
                named_struct('version', 2, 'emitted', closes_at + 2)
            ),
            v -> v.version = 1 or v.emitted < {{ p.end }}L
        ) as versions
    from described

),

sent as (

    select
        * except (versions, v),
        v.*,
        {{ dirt('ticket_dirt', 'opened_at * 3 + v.version') }} as dirt,
        {{ u('ticket_r', 'opened_at * 3 + v.version') }} as r,
        {{ u('ticket_how', 'opened_at * 3 + v.version') }} as how,
        concat(customer_id, '-t', opened_at - {{ p.start }}L) as ticket_id
    from versioned
    lateral view explode(versions) as v

),

delivered as (

    select
        *,
        {{ skew('region_no', 'emitted') }} as skew_seconds,
        if(version = 2, closes_at, null) as closed_at,
        if(version = 2, rating, null) as true_satisfaction,
        if(version = 2, rating, null) * if(dirt <=> 'outlier', 1000L, 1L) as satisfaction
    from sent

),

spelled as (

    select
        *,
        concat(
            ',"customer_id":"', customer_id,
            '","opened_at":"', {{ time('opened_at + skew_seconds') }},
            '","closed_at":', coalesce(concat('"', {{ time('closed_at + skew_seconds') }}, '"'), 'null'),
            ',"category":"', {{ variant('category', 'how') }},
            '","priority":"', {{ variant('priority', 'r') }},
            '","satisfaction":', {{ number('satisfaction', 'true', 'r') }},
            ',"emitted_at":"', {{ time('emitted + skew_seconds') }}, '"}'
        ) as rest
    from delivered

)

select
    'tickets' as log,
    n, ticket_id as id, version, customer_id, region_no, category, priority,
    satisfaction, true_satisfaction, opened_at, closed_at, emitted, skew_seconds, dirt,
    {{ line('ticket_id', 'ticket_id', 'rest', 'r') }} as line
from spelled
