{#-
    A test that conditions hold for a table, all of them in one reading of it.

    grain: columns that no two rows agree in all of. not_null: columns. values: columns with the values that they may have. rules: names of
    conditions with their SQL, each of which must not be false.
-#}
{% test holds(model, grain=[], not_null=[], values={}, rules={}) %}

{% set conditions = row_conditions(not_null, values, rules) %}

with counted as (

    select
        {% for name, condition in conditions.items() -%}
            count_if(not ({{ condition }})) as {{ name }},
        {% endfor -%}
        {% if grain -%}
            count(*) - count(distinct struct({{ grain | join(', ') }}))
        {%- else -%}
            0
        {%- endif %} as grain_is_unique
    from {{ model }}

),

unpivoted as (

    select
        stack(
            {{ conditions | length + 1 }},
            {% for name in conditions -%}
                '{{ name }}', {{ name }},
            {% endfor -%}
            'grain_is_unique', grain_is_unique
        ) as (rule, failures)
    from counted

)

select *
from unpivoted
where failures > 0

{% endtest %}
