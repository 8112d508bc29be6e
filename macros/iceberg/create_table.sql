{#-
    Make a table and fill it, on the branch that the session writes to.

    config `sort_by`: the order of rows within each file, so that readers skip what they do not ask
    for. Such a table is made empty, its order is set, and its rows follow.
-#}
{% macro create_table(target, sql) -%}
    {%- do spark_iceberg.drop_standing_view(target) -%}
    {%- set sort_by = config.get('sort_by') -%}
    {%- if sort_by -%}
        {%- set view = spark_iceberg.temporary_view(target, sql) -%}
        {%- do run_query(create_table_as(False, target, 'select * from ' ~ view ~ ' where false')) -%}
        {%- do run_query(
            'alter table ' ~ target ~ ' write ordered by '
            ~ spark_iceberg.list(sort_by) | join(', ')
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
