{#-
    A test that conditions hold for each row, all of them in one reading of the table.

    not_null: columns. values: columns with the values that they may have. rules: names of
    conditions with their SQL, each of which must not be false.
-#}
{% test holds(model, not_null=[], values={}, rules={}) %}

{% set conditions = row_conditions(not_null, values, rules) %}

with counted as (

    select
        {% for name, condition in conditions.items() -%}
            count_if(not ({{ condition }})) as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ model }}

),

unpivoted as (

    select
        stack(
            {{ conditions | length }},
            {% for name in conditions -%}
                '{{ name }}', {{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        ) as (rule, failures)
    from counted

)

select *
from unpivoted
where failures > 0

{% endtest %}
