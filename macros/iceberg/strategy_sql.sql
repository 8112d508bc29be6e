{#-
    The statement of an incremental strategy: dbt-spark's own, or a macro that bears its name, here
    or in the project.
-#}
{% macro strategy_sql(strategy, arguments) -%}
    {%- if strategy == 'microbatch' -%}
        {#- dbt-spark's own leaves it to the session's mode whether other batches survive. -#}
        {{ return(spark_iceberg.get_incremental_insert_overwrite_sql(arguments)) }}
    {%- endif -%}
    {{ return(spark_iceberg.strategy_macro('get_incremental_' ~ strategy ~ '_sql')(arguments)) }}
{%- endmacro %}
