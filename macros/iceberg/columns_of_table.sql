{#-
    The columns of a table with their comments, in one statement: dicts with the keys name, quoted,
    dtype and comment.
-#}
{% macro columns_of_table(relation) -%}
    {{ return(spark_iceberg.described('describe table ' ~ relation)) }}
{%- endmacro %}
