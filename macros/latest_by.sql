{#-
    The rank of a row among those of its key, 1 for the one that counts: keep `= 1`. See
    macros/iceberg/latest_by.sql.
-#}
{% macro latest_by(keys, order_by) -%}
    {{ return(spark_iceberg.latest_by(keys, order_by)) }}
{%- endmacro %}
