{#-
    Set the comments of a table and of columns whose description has changed, each in one statement;
    none when all are as they should be. A comment is a commit of metadata, and most runs change none.

    listed: the table, as `listed_table` has it. standing: its columns with their comments.
-#}
{% macro update_comments(target, listed, standing) -%}
    {%- do spark_iceberg.warn_of_documented(target, standing) -%}
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
    {%- if config.persist_relation_docs() and model.description
        and model.description != listed.comment -%}
        {%- do run_query(
            'comment on table ' ~ target ~ ' is ' ~ spark_iceberg.literal(model.description)
        ) -%}
    {%- endif -%}
{%- endmacro %}
