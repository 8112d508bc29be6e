{#-
    What each column held of what was new, by run and day. Of each table only what it has gained since
    the last profile is read: by the number of the batch, or by when features were built.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=[
            'crm.customers', 'usage.events', 'billing.payments', 'support.tickets',
        ],
    )
}}
{% set by_batch = {
    'base_crm_customers': 'date(_delivered_at)',
    'base_usage_events': 'delivered_on',
    'base_billing_payments': 'delivered_on',
    'base_support_tickets': 'delivered_on',
    'dim_customers': 'date(last_updated)',
    'fct_usage_daily': 'last_known_on',
    'fct_payments': 'known_on',
    'fct_support_tickets': 'known_on',
} %}
{% set profiled = [
    ref('base_crm_customers'), ref('base_usage_events'), ref('base_billing_payments'),
    ref('base_support_tickets'), ref('dim_customers'), ref('fct_usage_daily'),
    ref('fct_payments'), ref('fct_support_tickets'), ref('ftr_customer_churn'),
    ref('agg_churn_by_segment'),
] %}
{% set grown = grown_tables(profiled) %}

with profiles as (

    {% for relation in grown -%}
        {%- set name = relation.schema ~ '.' ~ relation.identifier -%}
        {%- set read = mark(model.unique_id, name) -%}
        {%- set day = by_batch.get(relation.identifier) -%}
        {%- if day -%}
            {%- set where = '_batch > ' ~ (read or -1) -%}
            {%- set marks = {
                'until_batch': '_batch',
                'until_built_at': 'cast(null as timestamp)',
            } -%}
        {%- else -%}
            {%- set day = 'as_of_date' -%}
            {%- set where = "built_at > timestamp '" ~ (read or '1970-01-01') ~ "'" -%}
            {%- set marks = {
                'until_batch': 'cast(null as bigint)',
                'until_built_at': 'built_at',
            } -%}
        {%- endif -%}
        select
            '{{ name }}' as table_name,  -- noqa: RF04
            *
        from ({{ column_profile(
            relation, day, where, marks, var('profiled_rows_a_day'),
            var('judged_days') + var('past_days')
        ) }})
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

columns_of as (

    select
        table_name,
        profiled_on,
        row_total,
        sampled_rows,
        until_batch,
        until_built_at,
        explode(columns) as told
    from profiles

),

final as (

    select
        -- ids
        '{{ run_branch() }}' as run_id,
        columns_of.table_name,
        columns_of.told.column_name,

        -- texts
        columns_of.told.kind,

        -- numerics
        columns_of.row_total,
        columns_of.sampled_rows,
        columns_of.told.value_count,
        1 - columns_of.told.value_count / columns_of.sampled_rows as null_rate,
        columns_of.told.zero_count,
        columns_of.told.distinct_count,
        columns_of.told.quantiles,
        columns_of.told.value_counts,
        columns_of.until_batch,

        -- timestamps
        columns_of.profiled_on,
        columns_of.until_built_at,
        current_timestamp() as profiled_at
    from columns_of

)

select * from final
