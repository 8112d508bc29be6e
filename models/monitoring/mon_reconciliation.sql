{#-
    Counts each batch again where it ended up. What has been reconciled is not looked at again, and
    the raw tables are read from the first batch that has not.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key=['source_name', 'batch'],
        new_rows_of=[
            'crm.customers', 'usage.events', 'billing.payments', 'support.tickets',
        ],
    )
}}
{% set landed_batches = source('monitoring', 'mon_landed_batches') %}
{% set open_batches %}
    select * from {{ landed_batches }} as batches
    {% if is_incremental() %}
        where not exists (
            select 1 from {{ this }} as known
            where
                known.source_name = batches.source_name
                and known.batch = batches.batch
                and known.is_reconciled
        )
    {% endif %}
{% endset %}
{% set tables = unreconciled_tables() %}

with batches as (

    {{ open_batches }}

),

loaded as (

    {% for raw in tables -%}
        select
            '{{ raw.source_name }}' as source_name,
            _batch as batch,
            count(*) as row_total
        from {{ raw.table }}
        where _landed_at >= timestamp '{{ raw.since }}'
        group by _batch
        union all
    {% endfor -%}
    select
        cast(null as string) as source_name,
        cast(null as bigint) as batch,
        0 as row_total

),

replaced as (

    select distinct
        source_name,
        replaces as batch
    from {{ landed_batches }}
    where replaces is not null

),

reconciled as (

    select
        -- ids
        batches.source_name,
        batches.batch,

        -- texts
        batches.kind,
        batches.raw_table,

        -- numerics
        batches.received,
        batches.landed,
        batches.quarantined,
        coalesce(loaded.row_total, 0) as loaded,

        -- booleans
        replaced.batch is not null as is_replaced,
        coalesce(
            batches.received = batches.landed + batches.quarantined
            -- A batch without rows has no object. One whose objects were lost is in another batch.
            and if(replaced.batch is null, batches.landed, 0) = coalesce(loaded.row_total, 0),
            false
        ) as is_reconciled,

        -- timestamps
        batches.landed_at
    from batches
    left join loaded
        on
            batches.source_name = loaded.source_name
            and batches.batch = loaded.batch
    left join replaced
        on
            batches.source_name = replaced.source_name
            and batches.batch = replaced.batch

)

select * from reconciled
