with profile as (

    {{ column_profile(
        ref('profiled_given'), 'day', 'batch > 1', {'until_batch': 'batch'}, sample=100, latest=2
    ) }}

),

told as (

    select
        profiled_on,
        row_total,
        until_batch,
        explode(columns) as told
    from profile

)

select
    profiled_on,
    row_total,
    until_batch,
    told.column_name as name,
    told.kind,
    told.value_count,
    told.zero_count,
    told.distinct_count,
    cast(told.quantiles[2] as int) as middle,
    nullif(
        array_join(
            array_sort(
                transform(map_entries(told.value_counts), each -> concat(each.key, '=', each.value))
            ),
            ' '
        ),
        ''
    ) as counts
from told
