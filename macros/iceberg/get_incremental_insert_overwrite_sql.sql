{#-
    The incremental strategy `insert_overwrite`: the partitions that the rows belong to are replaced
    by them, the others stay. A partition without rows is left as it is.
-#}
{% macro get_incremental_insert_overwrite_sql(arguments) -%}
    {%- do run_query('set spark.sql.sources.partitionOverwriteMode = dynamic') -%}
    {%- set columns = arguments.dest_columns | join(', ') -%}
    insert overwrite {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}
