{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['crm.customers'],
    )
}}

with cleaned as (

    select * from {{ ref('base_crm_customers') }}

),

rejected as (

    select
        customer_id,
        reject_reasons,
        _source_file,
        _source_row,
        _landed_at,
        _batch
    from cleaned
    where is_rejected and {{ in_new_batches() }}

)

select * from rejected
