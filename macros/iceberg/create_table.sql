{#-
    Make a table and fill it, on the branch that the session writes to.

    config `sort_by`: the order of rows within each file, so that readers skip what they do not ask
    for. Such a table is made empty, its order is set, and its rows follow. Without partitions the
    order is that of all rows, for which Spark runs the query twice: it samples first. With them,
    rows meet by partition, and each file has an order of its own.
-#}
{% macro create_table(target, sql) -%}
    {%- do spark_iceberg.drop_standing_view(target) -%}
    {%- set sort_by = config.get('sort_by') -%}
    {%- if sort_by -%}
        {%- set view = spark_iceberg.temporary_view(target, sql) -%}
        {%- do run_query(create_table_as(False, target, 'select * from ' ~ view ~ ' where false')) -%}
        {%- do run_query(
            'alter table ' ~ target ~ ' write '
            ~ ('distributed by partition locally ' if config.get('partition_by') else '')
            ~ 'ordered by ' ~ spark_iceberg.list(sort_by) | join(', ')
        ) -%}
        {%- call statement('main') -%}
            insert into {{ target }} select * from {{ view }}
        {%- endcall -%}
        {%- do spark_iceberg.drop_temporary_view(view) -%}
    {%- else -%}
        {%- call statement('main') -%}
            {{ create_table_as(False, target, sql) }}
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}
