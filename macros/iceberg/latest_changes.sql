{#-
    A query of the latest change of each key of a log, and of the truncations that count.

    sql: the query of the log. columns: those of the table, quoted. target: the table as it stands,
    whose rows a new truncation may end, and whose truncations may end a change that comes late.
-#}
{% macro latest_changes(sql, columns, target=none) -%}
    {%- set keys = spark_iceberg.list(config.require('unique_key')) -%}
    {%- set sequence = spark_iceberg.list(config.require('sequence_by')) -%}
    {%- set deleted, truncated = config.get('deleted_flag'), config.get('truncated_flag') -%}
    {%- set any_null = keys | join(' is null or ') ~ ' is null' -%}
    {%- if truncated and target -%}
        {#- Truncations are rare: without one the table need not be read here. -#}
        {%- set truncated = truncated if run_query(
            '(select 1 from (' ~ sql ~ ') where ' ~ truncated ~ ' limit 1) union all '
            ~ '(select 1 from ' ~ target ~ ' where ' ~ any_null ~ ' limit 1)'
        ) | length -%}
    {%- endif -%}
    with log as (

        {{ sql }}

    )

    select {{ columns | join(', ') }}
    from (
        select
            *,
            {{ spark_iceberg.latest_by(keys, sequence) }} as recency
        from (
            select {{ columns | join(', ') }} from log
            {%- if truncated %}
            union all
            select
                {% for column in columns -%}
                    {%- set name = column | replace('`', '') -%}
                    {%- if name in keys -%} known.{{ column }}
                    {%- elif name in sequence -%} truncation.{{ column }}
                    {%- elif name == deleted -%} true as {{ column }}
                    {%- else -%} null as {{ column }}
                    {%- endif -%}
                    {{ ', ' if not loop.last }}
                {%- endfor %}
            from (
                select {{ (keys + sequence) | join(', ') }} from log
                where not {{ truncated }}
                {%- if target %}
                union all
                select {{ (keys + sequence) | join(', ') }} from {{ target }}
                where not ({{ any_null }})
                {%- endif %}
            ) as known
            inner join (
                select {{ (keys + sequence) | join(', ') }} from log
                where {{ truncated }}
                {%- if target %}
                union all
                select {{ (keys + sequence) | join(', ') }} from {{ target }}
                where {{ any_null }}
                {%- endif %}
            ) as truncation
                on
                    {{ spark_iceberg.sequence(sequence, 'known') }}
                    < {{ spark_iceberg.sequence(sequence, 'truncation') }}
                    {%- for key in keys %}
                    and (truncation.{{ key }} is null or truncation.{{ key }} = known.{{ key }})
                    {%- endfor %}
            {%- endif %}
        )
    )
    where recency = 1
{%- endmacro %}
