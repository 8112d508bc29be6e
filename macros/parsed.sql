{#-
    The value of a trimmed text as a type; null where it has none that can be kept exactly. See
    macros/iceberg/parsed.sql.
-#}
{% macro parsed(column, type) -%}
    {{ return(spark_iceberg.parsed(column, type)) }}
{%- endmacro %}
