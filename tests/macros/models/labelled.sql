{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['as_of_date'],
        dates_of='features',
    )
}}

select
    {{ var('run') }} as run,
    as_of_date,
    is_label_known,
    built_at
from {{ ref('features') }}
where {{ in_new_dates('as_of_date') }}
