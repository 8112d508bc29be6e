{#-
    The condition of the partitions that this run writes to in a table, so that a test reads what
    has changed and not all that is there; true where that is not known, as in `dbt test` by itself.

    relation: the table. partition_by: what it is partitioned by, a date or `months(<date>)`.
-#}
{% macro in_written_partitions(relation, partition_by) -%}
    {%- set node = node_of(relation) -%}
    {%- set is_known = scope() and node and partition_by and is_in_scope(node) -%}
    {%- set dates = dates_of(node) if is_known else none -%}
    {%- if dates is none -%}
        {{ return('true') }}
    {%- elif not partition_by.startswith('months(') -%}
        {{ return(any_of([in_dates(partition_by, dates), in_backfill(partition_by)])) }}
    {%- endif -%}
    {%- set column = partition_by.removeprefix('months(').removesuffix(')') -%}
    {%- set months = [] -%}
    {%- set backfill = [var('from_date', none), var('to_date', none)] | reject('none') | list -%}
    {%- for day in dates + backfill -%}
        {%- do months.append((day | string)[:7] ~ '-01') -%}
    {%- endfor -%}
    {%- set ranges = [in_backfill(column)] -%}
    {%- for start in months | unique | sort -%}
        {%- do ranges.append(
            column ~ " >= date '" ~ start ~ "' and " ~ column ~ " < add_months(date '" ~ start ~ "', 1)"
        ) -%}
    {%- endfor -%}
    {{ return(any_of(ranges)) }}
{%- endmacro %}
