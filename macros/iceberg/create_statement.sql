{#-
    The statement that creates an empty table with its columns, their comments, and its settings.
    Not every catalog takes a table whose fields are bucketed or truncated: such are added later.
-#}
{% macro create_statement(target, columns) -%}
    {%- set definitions = [] -%}
    {%- for column in columns -%}
        {%- set comment = spark_iceberg.column_comment(column.name) -%}
        {%- do definitions.append(
            column.quoted ~ ' ' ~ column.dtype
            ~ (' comment ' ~ spark_iceberg.literal(comment) if comment else '')
        ) -%}
    {%- endfor -%}
    create table {{ target }} ({{ definitions | join(', ') }})
    {{ file_format_clause() }}
    {{ options_clause() }}
    {% set fields = spark_iceberg.partition_fields().at_once -%}
    {{ 'partitioned by (' ~ fields | join(', ') ~ ')' if fields }}
    {{ comment_clause() }}
    {{ tblproperties_clause() }}
{%- endmacro %}
