{#-
    The place of a row in a log as one value to compare: field by field, nulls lowest. See
    macros/iceberg/sequence.sql.
-#}
{% macro sequence(columns, alias) -%}
    {{ return(spark_iceberg.sequence(columns, alias)) }}
{%- endmacro %}
