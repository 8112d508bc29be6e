{{ config(materialized='incremental', incremental_strategy='append') }}

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
    where is_rejected and {{ new_batches(relation=ref('base_crm_customers')) }}

)

select * from rejected
