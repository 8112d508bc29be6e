{#- What a query says that has found no news; its table is left as it is. -#}
{% macro nothing_new() -%}
    {{ return(spark_iceberg.nothing_new()) }}
{%- endmacro %}
