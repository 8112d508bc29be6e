{#- The statement of an incremental strategy: dbt-spark's own, or a macro that bears its name. -#}
{% macro iceberg_strategy_sql(strategy, arguments) -%}
    {%- if strategy in ['merge', 'microbatch'] -%}
        {{ return(dbt_spark_get_incremental_sql(
            strategy,
            arguments.temp_relation,
            arguments.target_relation,
            arguments.target_relation,
            arguments.unique_key,
            arguments.incremental_predicates,
        )) }}
    {%- endif -%}
    {%- set name = 'get_incremental_' ~ strategy ~ '_sql' -%}
    {%- if name not in context -%}
        {%- do exceptions.raise_compiler_error(
            'there is no incremental strategy ' ~ strategy ~ ': no macro is named ' ~ name
        ) -%}
    {%- endif -%}
    {{ return(context[name](arguments)) }}
{%- endmacro %}
