{#-
    The condition of the partitions that this run computes again: those of the dates that new
    batches name, and of a backfill; all of them at the first build and at a full refresh.

    relation: the table that new rows are in. column: its date, and that of the rows that are read.
-#}
{% macro touched_dates(relation, column) -%}
    {%- if execute and takes_in_news() -%}
        (
            {{ in_dates(column, run_query(
                'select distinct cast(' ~ column ~ ' as string) from ' ~ relation ~ ' where '
                ~ new_batches() ~ ' and ' ~ column ~ ' is not null order by 1'
            ).columns[0].values()) }}
            or {{ in_backfill(column) }}
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
