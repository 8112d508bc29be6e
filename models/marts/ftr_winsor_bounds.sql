{#-
    Between which values a feature is kept, by the percentiles of the seed winsor_thresholds among
    the customers of a date. Training, scores and segments cap features by these bounds.
-#}
{{
    config(
        materialized='incremental',
        tags=['daily'],
        incremental_strategy='insert_overwrite',
        dates_of='ftr_customer_churn',
        partition_by=['as_of_date'],
    )
}}
{% set names = winsorized_features() %}
-- depends_on: {{ ref('winsor_thresholds') }}
{% set thresholds = winsor_thresholds() %}

with features as (

    select * from {{ ref('ftr_customer_churn') }}
    where {{ in_new_dates('as_of_date') }}

),

percentiles as (

    select
        {% for name in names -%}
            percentile({{ name }}, array({{ thresholds[name] | join(', ') }})) as {{ name }},
        {% endfor -%}
        as_of_date,
        max(built_at) as built_at
    from features
    group by as_of_date

),

unpivoted as (

    select
        as_of_date,
        built_at,
        stack(
            {{ names | length }},
            {% for name in names -%}
                '{{ name }}', {{ name }}[0], {{ name }}[1]{{ ',' if not loop.last }}
            {% endfor %}
        ) as (feature, lower_bound, upper_bound)
    from percentiles

),

bounds as (

    select
        feature,
        as_of_date,
        cast(lower_bound as decimal(18, 4)) as lower_bound,
        cast(upper_bound as decimal(18, 4)) as upper_bound,
        built_at
    from unpivoted

)

select * from bounds
