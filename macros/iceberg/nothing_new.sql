{#-
    What a query says that has found no news: an incremental model, or a snapshot of a log, leaves
    its table as it is. It is a comment, for any place of the query.
-#}
{% macro nothing_new() -%}
    /* spark_iceberg: nothing new */
{%- endmacro %}
