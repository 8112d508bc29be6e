{#-
    The statement of an incremental strategy: dbt-spark's own, or a macro that bears its name, here
    or in the project.
-#}
{% macro strategy_sql(strategy, arguments) -%}
    {%- if strategy == 'microbatch' -%}
        {%- if not config.get('partition_by') -%}
            {%- do exceptions.raise_compiler_error(
                'microbatch replaces the partitions of each batch: set partition_by'
            ) -%}
        {%- endif -%}
        {#- dbt-spark's own leaves it to the session's mode whether other batches survive. -#}
        {{ return(spark_iceberg.get_incremental_insert_overwrite_sql(arguments)) }}
    {%- endif -%}
    {%- set found = spark_iceberg.strategy_macro('get_incremental_' ~ strategy ~ '_sql') -%}
    {%- if found is none -%}
        {%- do exceptions.raise_compiler_error(
            'there is no incremental strategy ' ~ strategy ~ ': no macro is named get_incremental_'
            ~ strategy ~ '_sql'
        ) -%}
    {%- endif -%}
    {{ return(found(arguments)) }}
{%- endmacro %}
