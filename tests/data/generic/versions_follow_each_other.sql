{#-
    A test that the versions of a history neither overlap nor leave gaps: each ends as the next one
    of its key begins, and only the last has no end. keys: the columns of the key.
-#}
{% test versions_follow_each_other(model, keys) %}

with followed as (

    select
        {{ keys | join(', ') }},
        scd_id,
        valid_from,
        valid_to,
        -- Of one moment, the version that lasts is the last one.
        lead(valid_from) over (
            partition by {{ keys | join(', ') }}
            order by valid_from, coalesce(valid_to, timestamp '9999-12-31')
        ) as next_valid_from
    from {{ model }}

)

select *
from followed
where
    not valid_to <=> next_valid_from
    or valid_to < valid_from

{% endtest %}
