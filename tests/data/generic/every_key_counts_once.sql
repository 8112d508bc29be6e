{#-
    A test that each key of the accepted rows counts once in a whole table, wherever versions of it
    have stood: partitions that were not written are counted, too.

    staged: the accepted rows. key: their key. counted: how many of them the table counts, an
    expression over all of it.
-#}
{% test every_key_counts_once(model, staged, key, counted) %}

with shown as (

    select
        {{ counted }} as counted_keys,
        max(_batch) as last_batch
    from {{ model }}

),

accepted as (

    select count(distinct {{ key }}) as accepted_keys
    from {{ staged }}
    -- Later ones are not taken in yet, or have changed nothing.
    where _batch <= (select last_batch from shown)

)

select *
from shown
cross join accepted
where not coalesce(counted_keys, 0) <=> accepted_keys

{% endtest %}
