{#- One row for each change of the master: the state after it, and when it was committed. -#}
{% from 'macros.sql' import euros with context %}
with exploded as (

    select
        lives.* except (states),
        position,
        s.*,
        get(states, position + 1) as following
    from lives
    lateral view posexplode(states) as position, s

)

select
    -- A minute's changes are one transaction, committed at its end; who is there at the begin is
    -- part of the initial load.
    (at - {{ p.start }}L) * {{ 2 ** bits }}L + n as change_seq,
    case when position = 0 then 'c' when kind = 'erase' then 'd' else 'u' end as op,
    position = 0 and not is_new as is_initial,
    if(position = 0 and not is_new, at, (at div 60 + 1) * 60) as committed,
    if(following is null, null, (following.at div 60 + 1) * 60) as superseded,
    n, customer_id, kind, at,
    gender, senior_citizen, partner, dependents,
    tenure as tenure_months,
    phone_service, multiple_lines,
    internet as internet_service,
    online_security, online_backup, device_protection, tech_support, streaming_tv, streaming_movies,
    contract as contract_type,
    paperless_billing, payment_method,
    {{ euros('monthly') }} as monthly_charges,
    {{ euros('total') }} as total_charges,
    churned as churn_label,
    element_at(array('{{ regions | join("', '") }}'), region + 1) as region,
    product_line
from exploded
