{#- When days were compared. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['crm.customers'],
    )
}}

select
    {{ var('run') }} as run,
    max(profiled_at) as judged_until
from {{ ref('mon_column_profile') }}
