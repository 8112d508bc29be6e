{#-
    Have a table hold just the rows of a query: create it, or replace the rows of the one that
    exists.

    exists: whether the table is there. given: the columns of the query, if they are known.
-#}
{% macro build_table(target, sql, exists, given=none) -%}
    {%- set given = given or spark_iceberg.columns_of_query(sql) -%}
    {%- if exists -%}
        {%- do spark_iceberg.replace_rows(target, sql, given) -%}
    {%- else -%}
        {%- do spark_iceberg.create_table(target, sql, given) -%}
    {%- endif -%}
{%- endmacro %}
