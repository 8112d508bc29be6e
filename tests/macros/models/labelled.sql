{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['as_of_date'],
    )
}}
{% set last_known_on = last_known_date(ref('features'), ref('history')) %}

select
    {{ var('run') }} as run,
    as_of_date,
    date_add(as_of_date, 30) < date '{{ last_known_on }}' as is_label_known,
    built_at as features_built_at
from {{ ref('features') }}
where
    {{ any_of([
        new_builds(ref('features'), 'features_built_at'),
        newly_labelled(last_known_on),
    ]) }}
