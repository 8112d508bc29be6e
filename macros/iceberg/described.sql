{#- The columns that a `describe` statement lists. -#}
{% macro described(statement) -%}
    {{ return(spark_iceberg.listed_columns(run_query(statement))) }}
{%- endmacro %}
