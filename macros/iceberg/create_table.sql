{#-
    Create a table with its comments and its write order, and fill it on the branch that the session
    writes to. Never `create or replace`: that would wipe the main branch of a table that exists.

    config `sort_by`: the order of rows within each file, so that readers skip what they do not ask
    for. Without partitions the order is that of all rows, for which Spark runs the query twice: it
    samples first. With partitions, rows are distributed by partition and each file has its order.

    sql: the query of the rows. columns: those of the table, as `columns_of_query` returns them.
-#}
{% macro create_table(target, sql, columns) -%}
    {%- do spark_iceberg.drop_standing_view(target) -%}
    {%- do run_query(spark_iceberg.create_statement(target, columns)) -%}
    {%- for field in spark_iceberg.partition_fields().later -%}
        {%- do run_query('alter table ' ~ target ~ ' add partition field ' ~ field) -%}
    {%- endfor -%}
    {%- set sort_by = config.get('sort_by') -%}
    {%- if sort_by -%}
        {%- do run_query(
            'alter table ' ~ target ~ ' write '
            ~ ('distributed by partition locally ' if spark_iceberg.partitioned_by() else '')
            ~ 'ordered by ' ~ spark_iceberg.list(sort_by) | join(', ')
        ) -%}
    {%- endif -%}
    {%- do spark_iceberg.warn_of_documented(target, columns) -%}
    {%- call statement('main') -%}
        insert into {{ target }} ({{ columns | map(attribute='quoted') | join(', ') }})
        {{ sql }}
    {%- endcall -%}
{%- endmacro %}
