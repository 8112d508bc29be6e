{#-
    A test that no batch that this run took in was rejected to a share that its source does not
    know: a new spelling, or another file, not single rows. Few rows say nothing.

    model: the cleaned rows of both kinds. max_share: the highest share that is usual.
-#}
{% test few_rows_are_rejected(model, max_share) %}

{% set since = batch_before_this_run(model) %}

with counted as (

    select
        _batch as batch,
        count(*) as row_total,
        count_if(is_rejected) as rejected_rows,
        count_if(is_rejected) / count(*) as rejected_share,
        mode(reject_reasons[0]) as most_frequent_reason
    from {{ model }}
    where _batch > {{ since }}
    group by _batch
    having count(*) >= 20

)

select *
from counted
where rejected_share > cast('{{ max_share }}' as double)

{% endtest %}
