{{ config(materialized='incremental', incremental_strategy='append') }}
-- depends_on: {{ ref('mon_landed_batches') }}

select * from {{ ref('events') }}
where
    _batch <= {{ var('landed') }}
    and {{ new_batches(source_name='crm.customers') }}
