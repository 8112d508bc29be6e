{#- The base model of a source. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['crm.customers'],
        post_hook='{{ find_dates() }}',
    )
}}

select
    *,
    false as is_rejected
from {{ ref('events') }}
where
    _batch <= {{ var('landed') }}
    and {{ in_new_batches() }}
