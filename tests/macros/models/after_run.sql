{#- What every incremental model holds after a run, to compare at once. -#}
{% set shown = {
    'taken_in': ['event_id', '_batch'],
    'read_on': ['event_id', "concat_ws(' ', last_batch, adds_rows)"],
    'daily': ['happened_on', "concat_ws(' ', events, 'by run', run)"],
    'latest': ['happened_on', 'event_id'],
    'features': ['as_of_date', "concat_ws(' ', events, 'by run', run, is_label_known)"],
    'labelled': ['as_of_date', "concat_ws(' ', is_label_known, 'by run', run)"],
    'mon_counted': ["concat_ws(' ', source_name, batch)", "concat_ws(' ', row_total, 'after', batch_before)"],
    'mon_reconciliation': ["concat_ws(' ', source_name, batch)", 'found'],
    'mon_column_profile': [
        "concat_ws(' ', split_part(table_name, '.', 2), profiled_on)",
        "concat_ws(' ', until_batch, 'by run', run)",
    ],
    'mon_drift': ["'run'", 'run'],
    'moved': [
        "concat_ws(' ', coalesce(event_id, 'looked at'), customer_id, happened_on)",
        "concat_ws(' ', emitted_at, 'known', delivered_on, 'by', _version_batch, _batch)",
    ],
} %}
-- depends_on: {{ ref('taken_in') }} {{ ref('read_on') }} {{ ref('daily') }} {{ ref('latest') }}
-- depends_on: {{ ref('features') }} {{ ref('labelled') }} {{ ref('monthly') }}
-- depends_on: {{ ref('mon_counted') }} {{ ref('mon_reconciliation') }}
-- depends_on: {{ ref('mon_column_profile') }} {{ ref('mon_drift') }} {{ ref('moved') }}

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
    cast({{ batch_before_this_run(ref('taken_in')) }} as string) as row_value
union all
select
    'mon_counted' as model,
    'batches before' as row_key,
    '{{ batches_before_this_run(ref('mon_counted')).values() | join(' ') }}' as row_value
union all
select
    'taken_in' as model,
    'rows of files' as row_key,
    cast(sum(record_count) as string) as row_value
from {{ metadata_of(ref('taken_in'), 'files') }}
{% for name, partition_by in {
    'daily': 'happened_on',
    'monthly': 'months(happened_on)',
}.items() -%}
    union all
    select
        '{{ name }}' as model,
        'written' as row_key,
        nullif(
            array_join(array_sort(collect_set(cast(happened_on as string))), ' '), ''
        ) as row_value
    from {{ ref(name) }}
    where {{ in_written_partitions(ref(name), partition_by) }}
{% endfor %}
