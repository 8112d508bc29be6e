{#-
    A test that conditions hold for a table, all of them in one reading of it.

    grain: columns that no two rows agree in all of. not_null: columns. values: columns with the
    values that they may have. rules: names of conditions with their SQL, each of which must not be
    false. partition_by: what the table is partitioned by, a part of its grain or set by it: only
    partitions that the last run wrote to are read.
-#}
{% test holds(model, grain=[], not_null=[], values={}, rules={}, partition_by=none) %}

{% set counts = failure_counts(grain, not_null, values, rules) %}

with counted as (

    select
        {% for name, failures in counts.items() -%}
            {{ failures }} as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ model }}
    where {{ in_written_partitions(model, partition_by) }}

),

unpivoted as (

    select
        stack(
            {{ counts | length }},
            {% for name in counts -%}
                '{{ name }}', {{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        ) as (rule, failures)
    from counted

)

select *
from unpivoted
where failures > 0

{% endtest %}
