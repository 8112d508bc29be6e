{#-
    Whether an incremental model, or a snapshot of a log, has anything to take in; without it, its
    table is left as it is and no statement is run. A project that knows says so by a macro
    `default__has_new_rows`.
-#}
{% macro has_new_rows() -%}
    {{ return(adapter.dispatch('has_new_rows', 'spark_iceberg')()) }}
{%- endmacro %}
