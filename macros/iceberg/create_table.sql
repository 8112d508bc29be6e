{#-
    Make a table and fill it. A branch that does not exist yet is not created by `create table as`:
    it goes to the branch that the session writes to only if the table is there before. So it is
    made empty first; then its write order is set, and the rows follow as a snapshot of the branch.

    config `sort_by`: the order of rows within each file, so that readers skip what they do not ask
    for. config `distribution`: none, hash or range; how rows come to tasks before they are written.
-#}
{% macro create_table(target, sql) -%}
    {%- set view = spark_iceberg.temporary_view(target, sql) -%}
    {%- do run_query(create_table_as(False, target, 'select * from ' ~ view ~ ' where false')) -%}
    {%- set sort_by = config.get('sort_by') -%}
    {%- if sort_by -%}
        {%- set columns = [sort_by] if sort_by is string else sort_by -%}
        {%- do run_query(
            'alter table ' ~ target ~ ' write '
            ~ ('locally ' if config.get('distribution') == 'none' else '')
            ~ 'ordered by ' ~ columns | join(', ')
        ) -%}
    {%- endif -%}
    {%- if config.get('distribution') -%}
        {%- do run_query(
            "alter table " ~ target ~ " set tblproperties ('write.distribution-mode' = '"
            ~ config.get('distribution') ~ "')"
        ) -%}
    {%- endif -%}
    {%- call statement('main') -%}
        insert into {{ target }} select * from {{ view }}
    {%- endcall -%}
    {%- do spark_iceberg.drop_temporary_view(view) -%}
{%- endmacro %}
