{#-
    Each time a customer left: the first version that says so after one that does not, or after
    none. Few rows, so that labels join them to the features of a date without a shuffle.

    A change that comes late can take a leaving back, so a customer who is touched is told anew.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='upsert',
        new_rows_of=['crm.customers'],
        unique_key=['customer_id', 'churned_at'],
        deleted_flag='is_taken_back',
    )
}}

with history as (

    select * from {{ ref('customers_history') }}
    where customer_id is not null

),

touched as (

    select distinct customer_id
    from history
    where {{ in_new_batches() }}

),

versions as (

    select
        history.customer_id,
        history.valid_from,
        coalesce(history.churn_label, false) as has_left,
        coalesce(
            lag(history.churn_label) over (
                partition by history.customer_id order by history.valid_from
            ),
            false
        ) as had_left,
        max(history._batch) over (partition by history.customer_id) as _batch
    from history
    {% if adds_rows() -%}
        left semi join touched on history.customer_id = touched.customer_id
    {%- endif %}
    where not history.is_deleted

),

churns as (

    select
        customer_id,
        valid_from as churned_at,
        _batch,
        false as is_taken_back
    from versions
    where has_left and not had_left

),

told_anew as (

    select * from churns
    {% if adds_rows() -%}
        union all
        select
            known.customer_id,
            known.churned_at,
            known._batch,
            true as is_taken_back
        from {{ this }} as known
        left semi join touched on known.customer_id = touched.customer_id
        left anti join churns
            on known.customer_id = churns.customer_id and known.churned_at = churns.churned_at
    {%- endif %}

),

final as (

    select
        -- ids
        customer_id,

        -- timestamps
        churned_at,

        -- where the rows came from
        _batch,
        is_taken_back
    from told_anew

)

select * from final
