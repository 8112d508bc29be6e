{#-
    A query of every version of every key, from a log of changes: the columns of the log, and scd_id,
    valid_from, valid_to. The next change of a key, a delete too, closes the version before it, so
    intervals neither overlap nor leave gaps. It depends on what came, not on how: a change that
    comes late takes its place among the others.

    config `unique_key`, `sequence_by`, `deleted_flag`, `truncated_flag`: as of apply_changes.
    config `updated_at`: the column that says when a change was made, the first of sequence_by.

    A delete is a version too, whose deleted flag is set, so that it closes what comes after it but
    belongs before. A truncation is one, with a null key, and deletes each key that was known
    before: such versions have the truncated flag. As-of queries leave both out.

    sql: the query of the log; in an incremental run of its new part. columns: those of the log,
        quoted.
    target: the table as it stands; only keys that the new part names are computed again.
-#}
{% macro history(sql, columns, target=none) -%}
    {%- set keys = spark_iceberg.list(config.require('unique_key')) -%}
    {%- set sequence = spark_iceberg.list(config.require('sequence_by')) -%}
    {%- set deleted, truncated = config.require('deleted_flag'), config.require('truncated_flag') -%}
    {%- set updated_at = config.require('updated_at') -%}
    {%- set any_null = '(' ~ keys | join(' is null or ') ~ ' is null)' -%}
    {%- set truncations = [true, true] -%}
    {%- if target -%}
        {#- Truncations are rare: without one the table need not be read for them. -#}
        {%- set truncations = run_query(
            'select count_if(given), count_if(not given) from (select true as given from (' ~ sql
            ~ ') where ' ~ truncated ~ ' union all select false from ' ~ target ~ ' where '
            ~ any_null ~ ')'
        ).rows[0] -%}
    {%- endif -%}
    {%- set all_keys = target and truncations[0] -%}

    with log as (

        {{ sql }}

    ),

    changes as (

        select {{ columns | join(', ') }}, 1 as known_first from log
        {%- if target %}
        union all
        select {{ columns | join(', ') }}, 0 as known_first
        from {{ target }} as known
        {%- if all_keys %}
        where {{ any_null }} or not {{ truncated }}
        {%- else %}
        left semi join (select distinct {{ keys | join(', ') }} from log) as touched
            on {{ spark_iceberg.key_match(keys, 'known', 'touched') }}
        where not {{ truncated }}
        {%- if truncations[1] %}
        union all
        select {{ columns | join(', ') }}, 0 as known_first from {{ target }} where {{ any_null }}
        {%- endif %}
        {%- endif %}
        {%- endif %}

    ),

    once as (

        select {{ columns | join(', ') }}
        from (
            select
                *,
                row_number() over (
                    partition by {{ (keys + sequence) | join(', ') }} order by known_first
                ) as copy
            from changes
        )
        where copy = 1

    ),

    ended as (

        select * from once
        {%- if truncations[0] or truncations[1] %}
        union all
        select
            {% for column in columns -%}
                {%- set name = column | replace('`', '') -%}
                {%- if name in keys -%} known.{{ column }}
                {%- elif name in sequence -%} truncation.{{ column }}
                {%- elif name in [deleted, truncated] -%} true as {{ column }}
                {%- else -%} null as {{ column }}
                {%- endif -%}
                {{ ', ' if not loop.last }}
            {%- endfor %}
        from once as truncation
        inner join (
            select
                {{ keys | join(', ') }},
                min(struct({{ sequence | join(', ') }})) as first_change
            from once
            where not {{ truncated }}
            group by {{ keys | join(', ') }}
        ) as known
            on
                known.first_change < {{ spark_iceberg.sequence(sequence, 'truncation') }}
                {%- for key in keys %}
                and (truncation.{{ key }} is null or truncation.{{ key }} = known.{{ key }})
                {%- endfor %}
        where truncation.{{ truncated }}
        {%- endif %}

    )

    select
        *,
        md5(concat_ws('|',
            {%- for column in keys + sequence %}
            coalesce(cast({{ column }} as string), '~'){{ ',' if not loop.last }}
            {%- endfor %}
        )) as scd_id,
        {{ updated_at }} as valid_from,
        lead({{ updated_at }}) over (
            partition by {{ keys | join(', ') }}
            order by {{ sequence | join(' nulls first, ') }} nulls first
        ) as valid_to
    from ended
{%- endmacro %}
