{#-
    The condition of the partitions that this run computes again: those of the dates that new
    batches name, and of a backfill; all of them at the first build and at a full refresh.

    relation: the table that new rows are in. column: its date, and that of the rows that are read.
-#}
{% macro touched_dates(relation, column) -%}
    {%- if not execute or not takes_in_news() -%}
        {{ return('true') }}
    {%- endif -%}
    {%- set dates = run_query(
        'select distinct cast(' ~ column ~ ' as string) from ' ~ relation ~ ' where _batch > '
        ~ last_batch() ~ ' and ' ~ column ~ ' is not null order by 1'
    ).columns[0].values() -%}
    {{ return(any_of([in_dates(column, dates), in_backfill(column)])) }}
{%- endmacro %}
