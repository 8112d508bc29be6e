{#-
    The as-of dates whose features this run computes, as texts in order. A date is one on which
    something became known; every n-th day by CDP_FEATURE_EVERY_DAYS. All of them at the
    first build and at a full refresh; else those that new batches tell something about, all built
    ones after the first of them, and those of a backfill.

    sources: for each column that keeps what was built from a source: its table, and the date on
    which a row of it became known.
-#}
{% macro feature_dates(sources) -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set known = [] -%}
    {%- for column, source in sources.items() -%}
        {%- do known.append(
            'select distinct ' ~ source.known_on ~ ' as known_on from ' ~ source.relation
            ~ ' where ' ~ source.known_on ~ ' is not null and (_batch > ' ~ last_batch(column)
            ~ ' or ' ~ in_backfill(source.known_on) ~ ')'
        ) -%}
    {%- endfor -%}
    {%- if takes_in_news() -%}
        {%- do known.append(
            'select partition.as_of_date from ' ~ metadata_of(this, 'partitions')
            ~ ' where partition.as_of_date >= (select min(known_on) from (' ~ known | join(' union ') ~ ') where not '
            ~ in_backfill('known_on') ~ ')'
        ) -%}
    {%- endif -%}
    {%- set query = 'select distinct cast(known_on as string) from (' ~ known | join(' union ')
        ~ ') where pmod(unix_date(known_on), ' ~ env_var('CDP_FEATURE_EVERY_DAYS', '1') | int
        ~ ') = 0 order by 1' -%}
    {{ return(run_query(query).columns[0].values() | list) }}
{%- endmacro %}
