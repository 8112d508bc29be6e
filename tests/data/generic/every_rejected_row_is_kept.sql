{#-
    A test that the rejected rows of each batch that this run took in stand in the table of
    rejected rows. model: that table. cleaned: the cleaned rows of both kinds.
-#}
{% test every_rejected_row_is_kept(model, cleaned) %}

{% set since = batch_before_this_run(cleaned) %}

with found as (

    select
        _batch,
        count(*) as row_total
    from {{ cleaned }}
    where _batch > {{ since }} and is_rejected
    group by _batch

),

kept as (

    select
        _batch,
        count(*) as row_total
    from {{ model }}
    where _batch > {{ since }}
    group by _batch

)

select
    coalesce(found._batch, kept._batch) as batch,
    found.row_total as rejected_rows,
    kept.row_total as kept_rows
from found
full outer join kept on found._batch = kept._batch
where not found.row_total <=> kept.row_total

{% endtest %}
