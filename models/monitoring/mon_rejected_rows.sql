{#- How many rows of each batch were rejected, by reason: an unmapped value is one of them. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=[
            'crm.customers', 'usage.events', 'billing.payments', 'support.tickets',
        ],
    )
}}
{% set rejected = {
    'crm.customers': ref('stg_crm_customers__rejected'),
    'usage.events': ref('stg_usage_events__rejected'),
    'billing.payments': ref('stg_billing_payments__rejected'),
    'support.tickets': ref('stg_support_tickets__rejected'),
} %}

with rejected as (

    {% for source_name, relation in rejected.items() -%}
        select
            '{{ source_name }}' as source_name,
            _batch as batch,
            _landed_at,
            explode(reject_reasons) as reject_reason
        from {{ relation }}
        where {{ in_new_batches(source_name) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        -- ids
        source_name,
        batch,
        reject_reason,

        -- numerics
        count(*) as rejected_rows,

        -- booleans
        endswith(reject_reason, '_unmapped') as is_unmapped,

        -- timestamps
        min(_landed_at) as landed_at
    from rejected
    group by source_name, batch, reject_reason

)

select * from counted
