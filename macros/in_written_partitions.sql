{#-
    The condition of the partitions that a table's last snapshot wrote to, so that a test reads what
    the last run changed and not all that is there; true for a table that has no partitions.

    relation: the table. partition_by: what it is partitioned by, a date or `months(<date>)`.
-#}
{% macro in_written_partitions(relation, partition_by) -%}
    {%- if not execute or not partition_by -%}
        {{ return('true') }}
    {%- endif -%}
    {%- set by_month = partition_by.startswith('months(') -%}
    {%- set column = partition_by.removeprefix('months(').removesuffix(')') -%}
    {%- set start = 'data_file.partition.' ~ column -%}
    {%- if by_month -%}
        {%- set start = "add_months(date '1970-01-01', " ~ start ~ '_month)' -%}
    {%- endif -%}
    {%- set starts = run_query(
        'select distinct cast(' ~ start ~ ' as string) from ' ~ metadata_of(relation, 'entries')
        ~ ' where status <> 2 and snapshot_id = ' ~ head_of(relation) ~ ' order by 1'
    ).columns[0].values() -%}
    {%- if not starts or none in starts -%}
        {{ return('true') }}
    {%- endif -%}
    {%- if not by_month -%}
        {{ return(in_dates(column, starts)) }}
    {%- endif -%}
    {%- set ranges = [] -%}
    {%- for day in starts -%}
        {%- do ranges.append(
            column ~ " >= date '" ~ day ~ "' and " ~ column ~ " < add_months(date '" ~ day ~ "', 1)"
        ) -%}
    {%- endfor -%}
    {{ return('(' ~ ranges | join(' or ') ~ ')') }}
{%- endmacro %}
