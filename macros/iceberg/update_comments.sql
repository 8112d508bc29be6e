{#-
    Set the comments of columns whose description has changed, in one statement; none when all are
    as they should be. A comment is a commit of metadata, and most runs change none.

    standing: the table's columns with the comments that they have.
-#}
{% macro update_comments(target, standing) -%}
    {%- set changed = [] -%}
    {%- for column in standing -%}
        {%- set wanted = spark_iceberg.column_comment(column.name) -%}
        {%- if wanted and wanted != column.comment -%}
            {%- do changed.append(column.quoted ~ ' comment ' ~ spark_iceberg.literal(wanted)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if changed -%}
        {%- do run_query('alter table ' ~ target ~ ' alter column ' ~ changed | join(', ')) -%}
    {%- endif -%}
{%- endmacro %}
