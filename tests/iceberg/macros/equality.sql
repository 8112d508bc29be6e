{#-
    A test that a table has the rows of another, each as often. What it finds are the rows that
    differ, and by how many: above 0 there are too many, below 0 some are missing. Columns are
    compared by their place.

    expected: the other table, such as a seed. columns: those that are compared, all unless told.
    only: the condition of the expected rows.
-#}
{% test equality(model, expected, columns=['*'], only='true') %}

with rows_of_both as (

    select
        {{ columns | join(', ') }},
        1 as times
    from {{ model }}
    union all
    select
        {{ columns | join(', ') }},
        -1 as times
    from {{ expected }}
    where 1 = 1 and {{ only }}

)

select
    * except (times),
    sum(times) as difference
from rows_of_both
group by all
having sum(times) <> 0

{% endtest %}
