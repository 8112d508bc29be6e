{#- The base model of a source whose rows move. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['support.tickets'],
        post_hook='{{ find_dates() }}',
    )
}}

select
    *,
    false as is_rejected
from {{ ref('versions') }}
where
    _batch <= {{ var('landed') }}
    and {{ in_new_batches() }}
