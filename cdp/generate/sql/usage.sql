{#- Usage events as they were sent, one row each: values, dirt, and when they were told. -#}
{% from 'macros.sql' import u, pick, dirt, skew, variant, number, time, line with context %}
with days as (

    select
        n, customer_id, busy, signup_at, active_until, decline_at, phone_service,
        transform(states, s -> struct(s.at, s.region)) as regions,
        d
    from lives
    lateral view explode(sequence(
        cast((signup_at - {{ p.start }}L) div 86400 as int),
        cast((active_until - 1 - {{ p.start }}L) div 86400 as int)
    )) as d

),

counted as (

    -- The floor of 2 x mean x uniform + uniform has exactly that mean.
    select
        * except (regions),
        filter(regions, r -> r.at <= {{ p.start }}L + d * 86400L or r.at = signup_at)[
            size(filter(regions, r -> r.at <= {{ p.start }}L + d * 86400L or r.at = signup_at)) - 1
        ].region as region_no,
        cast(floor(
            2 * {{ p.events_per_day }}D * busy
            * if(pmod(d + {{ p.start // 86400 + 3 }}, 7) >= 5, 0.85D, 1.06D)
            * if(decline_at <= {{ p.start }}L + d * 86400L, 0.3D, 1D)
            * {{ u('usage_count', 'd') }} + {{ u('usage_round', 'd') }}
        ) as int) as events
    from days

),

numbered as (

    select *, d * 100000L + k as i
    from counted
    lateral view explode(sequence(1, events)) as k
    where events > 0

),

typed as (

    select
        *,
        case
            when phone_service = 'No' or {{ u('usage_type', 'i') }} < 0.45D then 'data'
            when {{ u('usage_type', 'i') }} < 0.78D then 'voice'
            else 'sms'
        end as event_type,
        {{ p.start }}L + d * 86400 + cast(floor(
            ({{ u('usage_at', 'i') }} + {{ u('usage_at_2', 'i') }}) * 43200
        ) as bigint) as at,
        {{ u('usage_size', 'i') }} as r,
        {{ u('usage_how', 'i') }} as how,
        {{ u('usage_roams', 'i') }} < 0.03D as roaming,
        {{ dirt('usage_dirt', 'i') }} as dirt
    from numbered

),

measured as (

    select
        *,
        {{ skew('region_no', 'at') }} as skew_seconds,
        case event_type
            when 'voice' then 20 + cast(floor(r * r * 3580) as bigint)
            when 'data' then 60 + cast(floor(r * 7140) as bigint)
            else 0L
        end as true_duration,
        if(event_type = 'data', cast(floor(power(10D, 7 + 2.69D * how)) as bigint), 0L)
            as true_bytes
    from typed
    where at >= signup_at and at < active_until

),

charged as (

    -- Charges in ten-thousandths: 0.012 a minute, 0.09 a text, 0.0001 a megabyte; abroad fivefold.
    select
        *,
        if(roaming, 5L, 1L) * case event_type
            when 'voice' then true_duration * 2
            when 'sms' then 900L
            else true_bytes div 1000000
        end as true_charge,
        if(dirt <=> 'outlier', 1000L, 1L) as factor,
        concat('{"event_id":"', customer_id, '-u', d, '-', k, '"') as head,
        concat(customer_id, '-u', d, '-', k) as event_id,
        at + true_duration + 1 + cast(floor(how * 20) as bigint) as emitted
    from measured

),

delivered as (

    select
        * except (head),
        true_duration * if(event_type = 'voice', factor, 1L) as duration_seconds,
        true_bytes * if(event_type = 'data', factor, 1L) as bytes,
        cast(true_charge * if(event_type = 'sms', factor, 1L) * 0.0001BD as decimal(14, 4))
            as charge
    from charged

),

spelled as (

    select
        *,
        concat(
            ',"customer_id":"', customer_id,
            '","event_type":"', {{ variant('event_type', 'how') }},
            '","started_at":"', {{ time('at + skew_seconds') }},
            '","duration_seconds":', {{ number('duration_seconds', "event_type = 'voice'", 'r') }},
            ',"bytes":', {{ number('bytes', "event_type = 'data'", 'r') }},
            ',"charge":', {{ number('charge', "event_type = 'sms'", 'r') }},
            ',"roaming":', case
                when not dirt <=> 'category_variant' then cast(roaming as string)
                when r < 0.34D then if(roaming, '"yes"', '"no"')
                when r < 0.67D then if(roaming, '" Y"', '" N"')
                else if(roaming, '"1"', '"0"')
            end,
            ',"region":"', element_at(array('{{ regions | join("', '") }}'), region_no + 1),
            '","cell":"', region_no, '-', n * 7919 % 500, '-', cast(floor(how * 9) as int),
            '","emitted_at":"', {{ time('emitted + skew_seconds') }}, '"}'
        ) as rest
    from delivered

)

select
    'usage' as log,
    n, event_id as id, 1 as version, customer_id, event_type, region_no,
    duration_seconds, bytes, charge, true_duration, true_bytes,
    cast(true_charge * 0.0001BD as decimal(14, 4)) as true_charge,
    roaming, at, emitted, skew_seconds, dirt,
    {{ line('event_id', 'event_id', 'rest', 'r') }} as line
from spelled
