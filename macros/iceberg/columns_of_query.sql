{#-
    The columns that a query returns, as `listed_table` has them. Spark analyses the query and
    does not run it.
-#}
{% macro columns_of_query(sql) -%}
    {{ return(spark_iceberg.described('describe query ' ~ sql)) }}
{%- endmacro %}
