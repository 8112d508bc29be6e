{#-
    A test that each batch that this run took in has as many rows here as in its raw table, all
    of them: raw = accepted + rejected. model: the cleaned rows of both kinds. raw: the raw table.
-#}
{% test every_raw_row_is_staged_once(model, raw) %}

{% set since = batch_before_this_run(model) %}

with staged as (

    select
        _batch,
        count_if(not is_rejected) as accepted,
        count_if(is_rejected) as rejected
    from {{ model }}
    where _batch > {{ since }}
    group by _batch

),

landed as (

    select
        _batch,
        count(*) as row_total
    from {{ raw }}
    where _batch > {{ since }} and _batch <= (select max(_batch) from {{ model }})
    group by _batch

)

select
    coalesce(staged._batch, landed._batch) as batch,
    landed.row_total as raw_rows,
    staged.accepted,
    staged.rejected
from landed
full outer join staged on landed._batch = staged._batch
where not landed.row_total <=> staged.accepted + staged.rejected

{% endtest %}
