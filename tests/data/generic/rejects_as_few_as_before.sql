{#-
    A test that no source had a larger share of its new rows rejected than ever before, and more
    than by chance.

    model: the accepted and rejected rows of each source and batch. max_increase: by how much the
    share may exceed the highest of the past.
-#}
{% test rejects_as_few_as_before(model, max_increase) %}

select *
from (
    {{ rejected_beyond_the_past(model, batches_before_this_run(model), max_increase) }}
)

{% endtest %}
