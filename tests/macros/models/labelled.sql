{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['as_of_date'],
        dates_of='int_customer_features',
    )
}}
-- depends_on: {{ ref('customers_history') }}

select
    {{ var('run') }} as run,
    as_of_date,
    date_add(as_of_date, 30) < date '{{ last_known_date() }}' as is_label_known,
    built_at as features_built_at,
    current_timestamp() as built_at
from {{ ref('int_customer_features') }}
where {{ in_new_dates('as_of_date') }}
