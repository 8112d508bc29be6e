{% set names = winsorized_features() %}
-- depends_on: {{ ref('winsor_thresholds') }}
{% set thresholds = winsor_thresholds() %}

with features as (

    select
        id,
        {% for name in names -%}
            amount as {{ name }},
        {% endfor -%}
        map(
            {% for name in names -%}
                '{{ name }}', struct(10.0 as lower_bound, 20.0 as upper_bound)
                {{- ',' if not loop.last }}
            {% endfor %}
        ) as bounds_of
    from {{ ref('capped_given') }}

)

select
    id,
    stack(
        {{ names | length }},
        {% for name in names -%}
            {% set lower, upper = thresholds.get(name, [0, 0]) -%}
            '{{ name }}', {{ lower | float }}d, {{ upper | float }}d, {{ winsorize(name) }}
            {{- ',' if not loop.last }}
        {% endfor %}
    ) as (feature, lower_percentile, upper_percentile, capped)
from features
