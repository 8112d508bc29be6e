{#- The chunk in numbers, a map a row: they are added up over the chunks. -#}
{% set rejected = {'usage': [], 'payments': ['blank_number'], 'tickets': []} -%}
{% macro number(value) %}cast({{ value }} as decimal(38, 4)){% endmacro -%}
{% for log, more in rejected.items() %}
    select '{{ log }}' as log, map(
        concat('kind:', coalesce(dirt, 'clean')), {{ number('count(*)') }},
        'skewed', {{ number('count_if(skew_seconds <> 0)') }},
        'rejected', {{ number("count_if(dirt in ('"
            ~ (['malformed_number'] + more) | join("', '") ~ "'))") }}
    ) as counts
    from sent_{{ log }} group by dirt
    union all
{% endfor %}
select log, map(
    'lines', {{ number('sum(lines)') }},
    'lines_broken', {{ number('sum(broken)') }},
    'lines_duplicate', {{ number('sum(duplicate)') }},
    'lines_redelivered', {{ number('sum(if(redelivered, lines, 0))') }},
    'objects', {{ number('count(*)') }},
    'objects_redelivered', {{ number('count_if(redelivered)') }},
    -- Landing refuses these whole: nothing in them can be used.
    'objects_all_broken', {{ number('count_if(lines = broken)') }},
    'lines_in_objects_all_broken', {{ number('sum(if(lines = broken, lines, 0))') }}
)
from (
    select
        log, object, redelivered,
        count(*) as lines,
        count_if(dirt in ('truncated', 'garbage', 'missing_key')) as broken,
        count_if(copy = 1) as duplicate
    from lines
    group by all
)
group by log
union all
select 'usage', map(
    'truth_rows', {{ number('count(*)') }},
    'sum_duration_seconds', {{ number('sum(duration_seconds)') }},
    'sum_bytes', {{ number('sum(bytes)') }},
    'sum_charge', {{ number('sum(charge)') }},
    'sum_true_charge', {{ number('sum(true_charge)') }}
)
from truth_usage_events
union all
select 'payments', map(
    'truth_rows', {{ number('count(*)') }},
    'sum_amount', {{ number('sum(amount)') }},
    'sum_amount_paid', {{ number("sum(if(status = 'paid', amount, 0))") }},
    'sum_true_amount', {{ number('sum(true_amount)') }},
    'failed', {{ number("count_if(status = 'failed')") }},
    'refunded', {{ number("count_if(status = 'refunded')") }}
)
from truth_payments
union all
select 'tickets', map(
    'truth_rows', {{ number('count(*)') }},
    'closed', {{ number('count(closed_at)') }},
    'sum_satisfaction', {{ number('sum(satisfaction)') }}
)
from truth_support_tickets
union all
select 'customers', map(
    'changes', {{ number('count(*)') }},
    'created', {{ number("count_if(op = 'c')") }},
    'updated', {{ number("count_if(op = 'u')") }},
    'deleted', {{ number("count_if(op = 'd')") }},
    'truth_rows', {{ number("count_if(superseded is null and op <> 'd')") }},
    'churned', {{ number("count_if(kind = 'churn')") }},
    'sum_monthly_charges', {{ number(
        "sum(if(superseded is null and op <> 'd', monthly_charges, 0))"
    ) }}
)
from states
