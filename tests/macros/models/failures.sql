{% set counts = failure_counts(
    grain=['id', 'part'],
    not_null=['id', 'colour'],
    values={'colour': ['red', 'blue']},
    rules={'amount_is_positive': 'amount > 0'},
) %}

select
    stack(
        {{ counts | length }},
        {% for rule, failures in counts.items() -%}
            '{{ rule }}', {{ failures }}{{ ',' if not loop.last }}
        {% endfor %}
    ) as (rule, failures)
from {{ ref('failures_given') }}
