{#-
    A query of the dates that rows in new batches of a source name, each with the last batch that
    names it, by the base table and by that of moved rows: of what happened, where tables are
    partitioned by that date, and of when it became known.

    since: the batch after which rows count for tables by date; known_since: the one for features.
    Either is none where no table asks.
-#}
{% macro dates_query(source_name, relations, since, known_since) -%}
    {%- set columns = batches_of(source_name) -%}
    {%- set happened = 'false' if since is none or not columns.date else '_batch > ' ~ since -%}
    {%- set became_known = 'false' if known_since is none else any_of([
        '_batch > ' ~ known_since, in_backfill(columns.known_on)
    ]) -%}
    {%- set dated = [columns.date, columns.known_on] | reject('none') | join(', ') -%}
    {%- set selects = [] -%}
    {%- for relation in relations -%}
        {%- do selects.append(
            'select _batch, ' ~ dated ~ ' from ' ~ relation ~ ' where '
            ~ any_of([happened, became_known]) ~ (' and not is_rejected' if loop.first else '')
        ) -%}
    {%- endfor -%}
    select
        '{{ source_name }}' as source_name,
        kind,
        cast(day as string) as day,
        max(_batch) as last_batch
    from (
        select
            _batch,
            stack(
                2,
                'dates', if({{ happened }}, {{ columns.date or columns.known_on }}, null),
                'known_dates', if({{ became_known }}, {{ columns.known_on }}, null)
            ) as (kind, day)
        from ({{ selects | join(' union all ') }})
    )
    where day is not null
    group by kind, day
{%- endmacro %}
