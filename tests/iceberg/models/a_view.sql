{{ config(materialized='view') }}

select count(*) as row_count from {{ ref('a_table') }}
