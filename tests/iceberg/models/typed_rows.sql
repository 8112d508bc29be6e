{{ config(materialized='incremental') }}

select
    1 as id,
    cast({{ var('value', '1') }} as {{ var('type', 'int') }}) as amount
