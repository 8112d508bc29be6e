{#-
    How far each day that was profiled since the last time is from its past: the same weekday's of
    eight weeks where there are enough, else all days of four. Days are judged by what is known of
    them now, in whatever runs it came.

    The number of rows is judged of days that are over: of those before the newest one of the table,
    or up to the variable complete_until.

    Nothing is told that chance could be: a deviation is no smaller than what as many values, drawn
    from one and the same source, differ by from day to day.
-#}
{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key=['table_name', 'column_name', 'metric', 'profiled_on'],
        new_rows_of=[
            'crm.customers', 'usage.events', 'billing.payments', 'support.tickets',
        ],
    )
}}
{% set enough_weekdays, enough_days = 3, 7 %}
{% set complete_until = var('complete_until', '1970-01-01') %}

{% set judged_days, past_days = var('judged_days'), var('past_days') %}
with profiles as (

    select
        *,
        max(profiled_on) over (partition by table_name) as newest_day,
        max(profiled_at) over (partition by table_name, profiled_on) as last_profiled_at
    from {{ ref('mon_column_profile') }}

),

days as (

    select
        table_name,
        column_name,
        kind,
        profiled_on,
        newest_day,
        last_profiled_at,
        sum(row_total) as row_total,
        sum(sampled_rows) as sampled_rows,
        sum(value_count) as value_count,
        coalesce(sum(zero_count), 0) as zero_count,
        -- Of a day that came in several runs the largest part stands for it.
        max_by(quantiles, row_total) as quantiles,
        max_by(value_counts, row_total) as value_counts,
        max(profiled_at) as profiled_at
    from profiles
    where
        profiled_on > date_sub(newest_day, {{ judged_days + past_days }})
        -- Features of a date that are built again replace those of before.
        and (until_batch is not null or profiled_at = last_profiled_at)
    group by table_name, column_name, kind, profiled_on, newest_day, last_profiled_at

),

marked as (

    select
        *,
        value_count - zero_count as other_count,
        transform(quantiles, each -> signum(each) * ln(1 + abs(each))) as logarithms,
        -- What came long ago, as at the first build, is past.
        profiled_on > date_sub(newest_day, {{ judged_days }})
        {% if is_incremental() -%}
            and last_profiled_at > (
                select coalesce(max(known.judged_until), timestamp '1970-01-01')
                from {{ this }} as known
            )
        {%- endif %} as is_new,
        -- One column stands for the rows of a table.
        row_number() over (
            partition by table_name, profiled_on order by row_total desc, column_name asc
        ) = 1
        and (profiled_on < newest_day or profiled_on <= date '{{ complete_until }}') as counts_rows
    from days

),

-- Each measure, of how many values it is, and how far it may be off by the chance of these values:
-- one standard deviation, of a quantile by the spread of the quartiles.
measured as (

    select
        exploded.table_name,
        if(
            exploded.point.metric = 'row_count', '*', exploded.column_name
        ) as column_name,  -- noqa: RF04
        exploded.profiled_on,
        exploded.row_total,
        if(
            exploded.point.metric = 'row_count', exploded.last_profiled_at, exploded.profiled_at
        ) as profiled_at,
        exploded.is_new,
        exploded.point.metric,
        exploded.point.basis,
        exploded.point.measure,
        exploded.point.noise
    from (
        select
            *,
            explode(array(
                struct(
                    'null_rate' as metric,
                    sampled_rows as basis,
                    1 - value_count / sampled_rows as measure,
                    sqrt(
                        greatest(
                            value_count / sampled_rows * (1 - value_count / sampled_rows),
                            1 / sampled_rows
                        ) / sampled_rows
                    ) as noise
                ),
                if(
                    kind = 'number' and value_count > 0,
                    struct(
                        'zero_rate' as metric,
                        value_count as basis,
                        zero_count / value_count as measure,
                        sqrt(
                            greatest(
                                zero_count / value_count * (1 - zero_count / value_count),
                                1 / value_count
                            ) / value_count
                        ) as noise
                    ),
                    null
                ),
                if(
                    kind = 'age',
                    struct(
                        'age' as metric,
                        value_count as basis,
                        (quantiles[1] + quantiles[2] + quantiles[3]) / 3 as measure,
                        0.93 * (quantiles[3] - quantiles[1]) / sqrt(value_count) as noise
                    ),
                    null
                ),
                {% for metric, at, factor in [('median', 2, 0.93), ('p95', 4, 1.57)] -%}
                    if(
                        kind = 'number' and other_count > 0,
                        struct(
                            '{{ metric }}' as metric,
                            other_count as basis,
                            logarithms[{{ at }}] as measure,
                            {{ factor }} * (logarithms[3] - logarithms[1]) / sqrt(other_count)
                                as noise
                        ),
                        null
                    ),
                {% endfor -%}
                if(
                    counts_rows,
                    struct(
                        'row_count' as metric,
                        row_total as basis,
                        ln(1 + row_total) as measure,
                        1 / sqrt(row_total) as noise
                    ),
                    null
                )
            )) as point
        from marked
    ) as exploded
    where exploded.point.measure is not null

),

-- All days of a measure in one row: a day is compared with others without a join.
series as (

    select
        table_name,
        column_name,
        metric,
        collect_list(
            struct(profiled_on, row_total, basis, measure, noise, profiled_at, is_new)
        ) as points
    from measured
    group by table_name, column_name, metric

),

present as (

    select
        table_name,
        column_name,
        metric,
        points,
        explode(filter(points, each -> each.is_new)) as judged
    from series

),

past as (

    select
        present.table_name,
        present.column_name,
        present.metric,
        present.judged,
        filter(
            present.points,
            each -> each.profiled_on < present.judged.profiled_on
            and each.profiled_on >= date_sub(present.judged.profiled_on, {{ past_days }})
            and (present.metric = 'row_count' or thresholds.min_rows <= each.basis)
        ) as points
    from present
    inner join {{ ref('drift_thresholds') }} as thresholds on present.metric = thresholds.metric

),

comparable as (

    select
        past.*,
        filter(
            past.points,
            each -> dayofweek(each.profiled_on) = dayofweek(past.judged.profiled_on)
        ) as of_weekday,
        filter(
            past.points,
            each -> each.profiled_on >= date_sub(past.judged.profiled_on, {{ judged_days }})
        ) as of_days,
        aggregate(past.points, 0D, (total, each) -> total + each.noise)
        / size(past.points) as past_noise
    from past
    where size(past.points) > 0

),

chosen as (

    select
        comparable.table_name,
        comparable.column_name,
        comparable.metric,
        comparable.judged.profiled_on,
        comparable.judged.row_total,
        comparable.judged.basis,
        comparable.judged.measure,
        comparable.judged.noise,
        comparable.judged.profiled_at,
        comparable.past_noise,
        array_sort(
            transform(
                case
                    when size(comparable.of_weekday) >= {{ enough_weekdays }}
                        then comparable.of_weekday
                    when size(comparable.of_days) >= {{ enough_days }} then comparable.of_days
                end,
                each -> each.measure
            )
        ) as measures
    from comparable

),

centred as (

    select
        *,
        element_at(measures, int((size(measures) + 1) / 2)) as centre
    from chosen
    where measures is not null

),

deviating as (

    select
        *,
        element_at(
            array_sort(transform(measures, each -> abs(each - centre))),
            int((size(measures) + 1) / 2)
        ) as deviation
    from centred

),

-- The population stability index of a category, against all its days of four weeks together.
categories as (

    select
        table_name,
        column_name,
        collect_list(struct(profiled_on, row_total, value_counts, profiled_at, is_new)) as points
    from marked
    where kind = 'category' and value_counts is not null
    group by table_name, column_name

),

judged_categories as (

    select
        table_name,
        column_name,
        points,
        explode(filter(points, each -> each.is_new and size(each.value_counts) > 0)) as judged
    from categories

),

compared as (

    select
        present.table_name,
        present.column_name,
        present.judged,
        explode(
            filter(
                present.points,
                each -> each.profiled_on <= present.judged.profiled_on
                and each.profiled_on >= date_sub(present.judged.profiled_on, {{ judged_days }})
            )
        ) as point
    from judged_categories as present

),

counted as (

    select
        compared.table_name,
        compared.column_name,
        compared.judged.profiled_on,
        compared.judged.row_total,
        compared.judged.profiled_at,
        compared.point.profiled_on = compared.judged.profiled_on as is_present,
        explode(compared.point.value_counts) as (item, occurrences)
    from compared

),

shares as (

    select
        table_name,
        column_name,
        profiled_on,
        row_total,
        profiled_at,
        sum(if(is_present, occurrences, 0)) as occurrences,
        sum(if(is_present, 0, occurrences)) as expected_occurrences
    from counted
    group by table_name, column_name, profiled_on, row_total, profiled_at, item

),

totals as (

    select
        *,
        sum(occurrences) over (partition by table_name, column_name, profiled_on) as total,
        sum(expected_occurrences) over (
            partition by table_name, column_name, profiled_on
        ) as expected_total
    from shares

),

floored as (

    -- A share of nothing has no logarithm.
    select
        *,
        greatest(occurrences / total, 0.0001) as proportion,
        greatest(expected_occurrences / expected_total, 0.0001) as expected_proportion
    from totals
    where total > 0 and expected_total > 0

),

indexed as (

    select
        table_name,
        column_name,
        profiled_on,
        sum(
            (proportion - expected_proportion) * ln(proportion / expected_proportion)
        ) as stability_index,
        max(row_total) as row_total,
        max(profiled_at) as profiled_at
    from floored
    group by table_name, column_name, profiled_on

),

scored as (

    select
        table_name,
        column_name,
        metric,
        profiled_on,
        row_total,
        measure,
        centre,
        measure - centre as difference,
        abs(measure - centre)
        / greatest(1.4826 * deviation, noise, past_noise, 0.02) as score,
        -- Whether rows are missing depends on how many there are on other days.
        if(metric = 'row_count', exp(centre), basis) as basis,
        profiled_at
    from deviating
    union all
    select
        table_name,
        column_name,
        'stability_index' as metric,
        profiled_on,
        row_total,
        stability_index as measure,
        0 as centre,
        stability_index as difference,
        -- It has no past of its own: the index alone tells.
        if(stability_index > 0, 1e9, 0) as score,
        row_total as basis,
        profiled_at
    from indexed

),

judged as (

    select
        -- ids
        scored.table_name,
        scored.column_name,
        scored.metric,

        -- numerics
        scored.row_total,
        scored.measure,
        scored.centre,
        scored.difference,
        scored.score,

        -- booleans
        scored.score > thresholds.max_score
        and abs(scored.difference) >= thresholds.min_change
        and scored.basis >= thresholds.min_rows
        and accepted.metric is null as is_alarm,
        thresholds.is_blocking,
        accepted.metric is not null as is_accepted,

        -- timestamps
        scored.profiled_on,
        scored.profiled_at as judged_until
    from scored
    inner join {{ ref('drift_thresholds') }} as thresholds on scored.metric = thresholds.metric
    left join {{ ref('accepted_changes') }} as accepted
        on
            scored.table_name = accepted.table_name
            and scored.column_name = accepted.column_name
            and scored.metric = accepted.metric
            and scored.profiled_on >= accepted.accepted_from

)

select * from judged
