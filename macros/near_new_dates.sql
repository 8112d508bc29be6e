{#-
    The condition of the dates at which a row that this run takes in may have stood before: those
    that new batches name, and `moves_within_days` around them (variable `batches`); all dates
    without it, at the first build and at a full refresh.

    column: a date, by which tables of the model's source are partitioned.
-#}
{% macro near_new_dates(column) -%}
    {%- if not execute -%}
        {{ return('true') }}
    {%- endif -%}
    {%- set days = batches_of(sources_of(model) | first).get('moves_within_days') -%}
    {%- set dates = dates_of(model) if days is not none else none -%}
    {%- if dates is none -%}
        {{ return('true') }}
    {%- elif not dates -%}
        {{ return('false') }}
    {%- endif -%}
    {{ return(
        column ~ " between date_sub(date '" ~ dates | first ~ "', " ~ days ~ ")"
        ~ " and date_add(date '" ~ dates | last ~ "', " ~ days ~ ')'
    ) }}
{%- endmacro %}
