{#-
    One row a customer, with all that happens to it, in arrays: nothing is shuffled. What could
    happen is drawn first (changes, bills, failed payments, tickets, a decline of usage); churn
    follows from it week by week; what would have come after churn is cut off.
-#}
{% from 'macros.sql' import u, pick, slots, contract_of with context %}
{% set weeks = (p.days + 6) // 7 %}
with jittered as (

    select
        *,
        case
            when is_new then {{ p.start }}L + {{ pick(p.days, 'signup_day') }} * 86400
                + 28800 + {{ pick(3600, 'signup_second') }}
            else {{ p.start }}L
        end as signup_at,
        case
            when is_new or sample_tenure = 0 then 0L
            else greatest(1L, sample_tenure + {{ pick(5, 'tenure') }} - 2)
        end as tenure,
        cast(round((sample_monthly + ({{ u('monthly') }} - 0.5D) * 150) / 5) as bigint) * 5
            as monthly,
        0.3D + 1.4D * {{ u('payment_risk') }} as payment_risk,
        0.3D + 1.4D * {{ u('ticket_risk') }} as ticket_risk,
        0.3D + 1.4D * {{ u('busy') }} as busy
    from drawn

),

drawn_events as (

    select
        *,
        {{ slots('contract', 0.012, 10) }} as contract_changes,
        if(internet_service = 'No', array(), {{ slots('internet', 0.01, 11) }}) as internet_changes,
        {{ slots('move', 0.008, 12) }} as moves,
        {{ slots('price', 0.015, 13) }} as own_prices,
        array_min(transform({{ slots('decline', 0.03, 0) }}, x -> x.at)) as decline_at,
        filter(
            transform(
                filter(
                    transform(
                        array({{ p.month_offsets | join(', ') }}),
                        x -> x + {{ pick(28, 'bill_day') }}
                    ),
                    d -> d >= 0 and d < {{ p.days }}
                ),
                d -> {{ p.start }}L + d * 86400 + 7200 + {{ pick(3600, 'bill_second', 'd') }}
            ),
            b -> b > signup_at
        ) as bills,
        least(0.9D, payment_risk * case
            when payment_method like 'Elec%' then 0.07D when payment_method like 'Mail%' then 0.045D
            when payment_method like 'Credit%' then 0.025D else 0.02D
        end) as failure_share,
        if(payment_method like '%automatic%', 1L, 2 + {{ pick(9, 'pays_after') }}) as pays_after,
        filter(
            transform(
                filter(
                    sequence(0, {{ (p.days + 14) // 15 - 1 }}),
                    m -> {{ u('ticket', 'm') }} < ticket_risk * 0.06D
                        * if(internet_service like 'Fiber%', 1.5D, 1D)
                        * if(tech_support = 'No', 1.3D, 1D)
                ),
                m -> {{ p.start }}L + (15 * m + {{ pick(15, 'ticket_day', 'm') }}) * 86400
                    + {{ pick(86400, 'ticket_second', 'm') }}
            ),
            t -> t > signup_at and t < {{ p.end }}L
        ) as drawn_tickets
    from jittered

),

first_tries as (

    select
        *,
        transform(bills, b -> named_struct(
            'billed_at', b,
            'try', 1,
            'at', b + pays_after * 86400 + 3600 + {{ pick(36000, 'pays_second', 'b') }},
            'failed', {{ u('fails', 'b') }} < failure_share
        )) as tries
    from drawn_events

),

tried as (

    select
        *,
        filter(
            concat(tries, transform(filter(tries, t -> t.failed), t -> named_struct(
                'billed_at', t.billed_at,
                'try', 2,
                'at', t.at + (5 + {{ pick(5, 'retry_day', 't.billed_at') }}) * 86400,
                'failed', {{ u('retry_fails', 't.billed_at') }} < 0.35D
            ))),
            t -> t.at < {{ p.end }}L
        ) as drawn_payments
    from first_tries

),

-- The hazard of a week is that of a month by 4.3, times what the last 60 days have brought. Who
-- signs up has one from the first whole week.
weighed as (

    select
        *,
        transform(
            filter(
                sequence(0, {{ weeks - 1 }}), w -> {{ p.start }}L + w * 604800 >= signup_at
            ),
            w -> named_struct('week', w, 'hazard', (
                case coalesce(
                    get(
                        transform(
                            slice(
                                reverse(filter(
                                    contract_changes, c -> c.at < {{ p.start }}L + w * 604800
                                )), 1, 1
                            ),
                            c -> {{ contract_of('c.r') }}
                        ),
                        0
                    ),
                    contract_type
                )
                    when 'Month-to-month' then 0.020D when 'One year' then 0.005D else 0.0015D
                end / 4.3D
                * if(tenure <= 6, 1.4D, if(tenure <= 24, 1D, 0.8D))
                * (1 + 1.2D * size(filter(drawn_tickets, t ->
                    t < {{ p.start }}L + w * 604800
                    and t >= {{ p.start }}L + w * 604800 - 5184000)))
                * (1 + 1.5D * size(filter(drawn_payments, t -> t.failed
                    and t.at < {{ p.start }}L + w * 604800
                    and t.at >= {{ p.start }}L + w * 604800 - 5184000)))
                * if(decline_at <= {{ p.start }}L + w * 604800 - 604800, 3D, 1D)
            ))
        ) as hazards_without_sample
    from tried

),

hazardous as (

    select
        * except (hazards_without_sample),
        transform(hazards_without_sample, h -> named_struct(
            'week', h.week,
            'hazard', h.hazard * if(sample_churn = 'Yes', 2.5D, 1D),
            'hazard_without_sample', h.hazard
        )) as drawn_hazards
    from weighed

),

left_week as (

    select
        *,
        array_min(transform(
            filter(drawn_hazards, h -> {{ u('churn', 'h.week') }} < h.hazard), h -> h.week
        )) as churn_week
    from hazardous

),

left_at as (

    select
        *,
        nullif(
            least({{ p.end }}L, {{ p.start }}L + churn_week * 604800
                + (1 + {{ pick(6, 'churn_day') }}) * 86400 + 54000
                + {{ pick(3600, 'churn_second') }}),
            {{ p.end }}L
        ) as left_at
    from left_week

),

dated as (

    -- A year has few weeks that end after the period; `least` of nulls would be the end.
    select * except (left_at), if(churn_week is null, null, left_at) as churn_at
    from left_at

),

erased as (

    select
        *,
        case when churn_at is not null and {{ u('erased') }} < 0.25D then nullif(
            least({{ p.end }}L, churn_at + (3 + {{ pick(12, 'erased_day') }}) * 86400 + 7200),
            {{ p.end }}L
        ) end as erase_at,
        coalesce(churn_at, {{ p.end }}L) as active_until
    from dated

),

listed as (

    select
        *,
        array_sort(concat(
            filter(
                concat(
                    contract_changes, internet_changes, moves, own_prices,
                    transform(bills, b -> named_struct('at', b, 'kind', 'bill', 'r', 0D)),
                    -- The list prices rise once, at 04:00 in the middle, for those without a term.
                    if(
                        contract_type = 'Month-to-month',
                        array(named_struct(
                            'at', {{ p.start + p.days // 2 * 86400 + 14400 }}L,
                            'kind', 'rise', 'r', 0D
                        )),
                        array()
                    )
                ),
                e -> e.at > signup_at and e.at < active_until
            ),
            if(
                churn_at is null, array(),
                array(named_struct('at', churn_at, 'kind', 'churn', 'r', 0D))
            ),
            if(
                erase_at is null, array(),
                array(named_struct('at', erase_at, 'kind', 'erase', 'r', 0D))
            )
        )) as events
    from erased

),

told as (

    select
        *,
        aggregate(
            events,
            array(named_struct(
                'at', signup_at,
                'kind', 'create',
                'contract', contract_type,
                'internet', internet_service,
                'region', region_no,
                'monthly', monthly,
                'total', case when tenure > 0 then cast(round(
                    sample_total * (tenure / sample_tenure) * (monthly / sample_monthly)
                ) as bigint) end,
                'tenure', tenure,
                'churned', false
            )),
            (known, e) -> concat(known, transform(slice(known, -1, 1), s -> named_struct(
                'at', e.at,
                'kind', e.kind,
                'contract', if(e.kind = 'contract', {{ contract_of('e.r') }}, s.contract),
                'internet', if(
                    e.kind = 'internet', if(s.internet = 'DSL', 'Fiber optic', 'DSL'), s.internet
                ),
                'region', if(
                    e.kind = 'move', (s.region + 1 + cast(floor(e.r * 7) as int)) % 8, s.region
                ),
                'monthly', case e.kind
                    when 'internet' then greatest(
                        1500L, s.monthly + if(s.internet = 'DSL', 2500L, -2500L)
                    )
                    when 'rise' then cast(round(s.monthly * 1.03D / 5) as bigint) * 5
                    when 'price' then cast(
                        round(s.monthly * (0.9D + 0.15D * e.r) / 5) as bigint
                    ) * 5
                    else s.monthly
                end,
                'total', if(e.kind = 'bill', coalesce(s.total, 0L) + s.monthly, s.total),
                'tenure', if(e.kind = 'bill', s.tenure + 1, s.tenure),
                'churned', s.churned or e.kind = 'churn'
            )))
        ) as states
    from listed

)

select
    n, customer_id, is_new, sample_row, sample_churn, gender, senior_citizen, partner, dependents,
    phone_service, multiple_lines, online_security, online_backup, device_protection, tech_support,
    streaming_tv, streaming_movies, paperless_billing, payment_method, contract_type,
    case
        when phone_service = 'No' then 'fixed'
        when internet_service = 'No' then 'mobile'
        else 'convergent'
    end as product_line,
    busy, signup_at, churn_at, erase_at, active_until, decline_at, states,
    filter(drawn_payments, t -> t.at < active_until) as payments,
    filter(drawn_tickets, t -> t < active_until) as tickets,
    filter(drawn_hazards, h -> churn_week is null or h.week <= churn_week) as hazards
from told
