{#-
    The condition of the dates that rows of new batches name; all at the first build and at a full
    refresh.

    relation: the table that new rows are in. column: its date. batch: the last that is not new.
-#}
{% macro in_new_dates(relation, column, batch) -%}
    {%- if not execute or not takes_in_news() -%}
        {{ return('true') }}
    {%- endif -%}
    {%- set dates = run_query(
        'select distinct cast(' ~ column ~ ' as string) from ' ~ relation ~ ' where _batch > '
        ~ batch ~ ' and ' ~ column ~ ' is not null order by 1'
    ).columns[0].values() -%}
    {{ return(in_dates(column, dates)) }}
{%- endmacro %}
