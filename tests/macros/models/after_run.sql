{#- What every incremental model holds after a run, to compare at once. -#}
{% set shown = {
    'taken_in': ['event_id', '_batch'],
    'read_on': ['event_id', "concat_ws(' ', last_batch, is_news)"],
    'daily': ['happened_on', "concat_ws(' ', events, 'by run', run)"],
    'features': ['as_of_date', "concat_ws(' ', events, 'by run', run)"],
    'labelled': ['as_of_date', "concat_ws(' ', is_label_known, 'by run', run)"],
    'counted': ["concat_ws(' ', source_name, batch)", "concat_ws(' ', row_total, 'after', told)"],
} %}
-- depends_on: {{ ref('taken_in') }} {{ ref('read_on') }} {{ ref('daily') }}
-- depends_on: {{ ref('features') }} {{ ref('labelled') }} {{ ref('counted') }} {{ ref('monthly') }}

{% for name, columns in shown.items() -%}
    select
        '{{ name }}' as model,
        cast({{ columns[0] }} as string) as row_key,
        cast({{ columns[1] }} as string) as row_value
    from {{ ref(name) }}
    union all
{% endfor %}
select
    'taken_in' as model,
    'batch before' as row_key,
    cast({{ batch_before_the_last_run(ref('taken_in')) }} as string) as row_value
union all
select
    'taken_in' as model,
    'newest batch' as row_key,
    cast({{ newest(ref('taken_in')) }} as string) as row_value
union all
select
    'taken_in' as model,
    'rows of files' as row_key,
    cast(sum(record_count) as string) as row_value
from {{ metadata_of(ref('taken_in'), 'files') }}
union all
select
    'taken_in' as model,
    'snapshots that are the head' as row_key,
    cast(count(*) as string) as row_value
from {{ ref('taken_in') }}.snapshots
where snapshot_id = {{ head_of(ref('taken_in')) }}
{% for name, partition_by in {
    'daily': 'happened_on',
    'monthly': 'months(happened_on)',
}.items() -%}
    union all
    select
        '{{ name }}' as model,
        'written' as row_key,
        array_join(array_sort(collect_set(cast(happened_on as string))), ' ') as row_value
    from {{ ref(name) }}
    where {{ in_written_partitions(ref(name), partition_by) }}
{% endfor %}
