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

{% set judged_days = 28 %}
with profiles as (

    select
        *,
        -- Features of a date that are built again are told again.
        until_batch is null
        and profiled_at < max(profiled_at) over (partition by table_name, profiled_on)
            as is_replaced
    from {{ ref('mon_column_profile') }}

),

days as (

    select
        table_name,
        column_name,
        kind,
        profiled_on,
        sum(row_total) as row_total,
        sum(value_count) as value_count,
        coalesce(sum(zero_count), 0) as zero_count,
        -- Of a day that came in several runs the largest part stands for it.
        max_by(quantiles, row_total) as quantiles,
        max_by(value_counts, row_total) as value_counts,
        max(profiled_at) as profiled_at
    from profiles
    where not is_replaced
    group by table_name, column_name, kind, profiled_on

),

numbers as (

    select
        *,
        value_count - zero_count as other_count,
        transform(quantiles, each -> signum(each) * ln(1 + abs(each))) as logarithms
    from days
    where kind = 'number' and value_count > zero_count

),

newest as (

    select
        table_name,
        max(profiled_on) as newest_day
    from days
    group by table_name

),

-- What came long ago, as at the first build, is a past and no news.
new_days as (

    select
        days.table_name,
        days.profiled_on
    from days
    inner join newest on days.table_name = newest.table_name
    where
        days.profiled_on > date_sub(newest.newest_day, {{ judged_days }})
        {% if is_incremental() -%}
            and days.profiled_at > (
                select coalesce(max(known.judged_until), timestamp '1970-01-01')
                from {{ this }} as known
            )
        {%- endif %}
    group by days.table_name, days.profiled_on

),

-- Each measure, of how many values it is, and how far it may be off by the chance of these values:
-- one standard deviation, of a quantile by the spread of the quartiles.
measured as (

    select
        table_name,
        column_name,
        'null_rate' as metric,
        profiled_on,
        row_total,
        row_total as basis,
        1 - value_count / row_total as measure,
        sqrt(
            greatest(value_count / row_total * (1 - value_count / row_total), 1 / row_total)
            / row_total
        ) as noise,
        profiled_at
    from days
    union all
    select
        table_name,
        column_name,
        'zero_rate' as metric,
        profiled_on,
        row_total,
        value_count as basis,
        zero_count / value_count as measure,
        sqrt(
            greatest(zero_count / value_count * (1 - zero_count / value_count), 1 / value_count)
            / value_count
        ) as noise,
        profiled_at
    from days
    where kind = 'number' and value_count > 0
    union all
    select
        table_name,
        column_name,
        'age' as metric,
        profiled_on,
        row_total,
        value_count as basis,
        (quantiles[1] + quantiles[2] + quantiles[3]) / 3 as measure,
        0.93 * (quantiles[3] - quantiles[1]) / sqrt(value_count) as noise,
        profiled_at
    from days
    where kind = 'age' and quantiles is not null
    {% for metric, at, factor in [('median', 2, 0.93), ('p95', 4, 1.57)] -%}
        union all
        select
            table_name,
            column_name,
            '{{ metric }}' as metric,
            profiled_on,
            row_total,
            other_count as basis,
            logarithms[{{ at }}] as measure,
            {{ factor }} * (logarithms[3] - logarithms[1]) / sqrt(other_count) as noise,
            profiled_at
        from numbers
    {% endfor -%}
    union all
    select
        days.table_name,
        '*' as column_name,  -- noqa: RF04
        'row_count' as metric,
        days.profiled_on,
        max(days.row_total) as row_total,
        max(days.row_total) as basis,
        ln(1 + max(days.row_total)) as measure,
        1 / sqrt(max(days.row_total)) as noise,
        max(days.profiled_at) as profiled_at
    from days
    inner join newest on days.table_name = newest.table_name
    where days.profiled_on < newest.newest_day or days.profiled_on <= date '{{ complete_until }}'
    group by days.table_name, days.profiled_on

),

past as (

    select
        present.table_name,
        present.column_name,
        present.metric,
        present.profiled_on,
        present.row_total,
        present.basis,
        present.measure,
        present.noise,
        present.profiled_at,
        avg(earlier.noise) as past_noise,
        collect_list(earlier.measure) filter (
            where dayofweek(earlier.profiled_on) = dayofweek(present.profiled_on)
        ) as of_weekday,
        collect_list(earlier.measure) filter (
            where earlier.profiled_on >= date_sub(present.profiled_on, 28)
        ) as of_days
    from measured as present
    left semi join new_days
        on present.table_name = new_days.table_name and present.profiled_on = new_days.profiled_on
    inner join {{ ref('drift_thresholds') }} as thresholds on present.metric = thresholds.metric
    inner join measured as earlier
        on
            present.table_name = earlier.table_name
            and present.column_name = earlier.column_name
            and present.metric = earlier.metric
            and present.profiled_on > earlier.profiled_on
            and present.profiled_on <= date_add(earlier.profiled_on, 56)
            and earlier.measure is not null
            and (present.metric = 'row_count' or thresholds.min_rows <= earlier.basis)
    where present.measure is not null
    group by all

),

chosen as (

    select
        *,
        array_sort(
            case
                when size(of_weekday) >= {{ enough_weekdays }} then of_weekday
                when size(of_days) >= {{ enough_days }} then of_days
            end
        ) as measures
    from past

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
        profiled_on,
        row_total,
        profiled_at,
        explode(map_entries(value_counts)) as counted
    from days
    where kind = 'category'

),

actual as (

    select
        categories.table_name,
        categories.column_name,
        categories.profiled_on,
        categories.row_total,
        categories.profiled_at,
        categories.counted.key as item,
        categories.counted.value as occurrences
    from categories
    left semi join new_days
        on
            categories.table_name = new_days.table_name
            and categories.profiled_on = new_days.profiled_on

),

judged_categories as (

    select distinct
        table_name,
        column_name,
        profiled_on
    from actual

),

expected as (

    select
        present.table_name,
        present.column_name,
        present.profiled_on,
        earlier.counted.key as item,
        sum(earlier.counted.value) as occurrences
    from judged_categories as present
    inner join categories as earlier
        on
            present.table_name = earlier.table_name
            and present.column_name = earlier.column_name
            and present.profiled_on > earlier.profiled_on
            and present.profiled_on <= date_add(earlier.profiled_on, 28)
    group by
        present.table_name, present.column_name, present.profiled_on, earlier.counted.key

),

shares as (

    select
        coalesce(actual.table_name, expected.table_name) as table_name,  -- noqa: RF04
        coalesce(actual.column_name, expected.column_name) as column_name,  -- noqa: RF04
        coalesce(actual.profiled_on, expected.profiled_on) as profiled_on,
        coalesce(actual.occurrences, 0) as occurrences,
        coalesce(expected.occurrences, 0) as expected_occurrences,
        actual.row_total,
        actual.profiled_at
    from actual
    full outer join expected
        on
            actual.table_name = expected.table_name
            and actual.column_name = expected.column_name
            and actual.profiled_on = expected.profiled_on
            and actual.item = expected.item

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
