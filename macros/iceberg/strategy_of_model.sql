{#-
    The incremental strategy of the model: what it names, else merge where rows have a key, and
    append where they have none. An unknown one is refused, at a first build too.
-#}
{% macro strategy_of_model() -%}
    {%- set strategy = config.get('incremental_strategy')
        or ('merge' if config.get('unique_key') else 'append') -%}
    {%- if strategy != 'microbatch'
        and spark_iceberg.strategy_macro('get_incremental_' ~ strategy ~ '_sql') is none -%}
        {%- do exceptions.raise_compiler_error(
            'dbt could not find an incremental strategy macro with the name "get_incremental_'
            ~ strategy ~ '_sql" in ' ~ project_name ~ ' or in spark_iceberg'
        ) -%}
    {%- endif -%}
    {%- if strategy == 'merge' and not config.get('unique_key') -%}
        {%- do exceptions.raise_compiler_error(
            'merge needs unique_key: without one each run would add its rows again, which is what '
            ~ "incremental_strategy='append' says"
        ) -%}
    {%- endif -%}
    {{ return(strategy) }}
{%- endmacro %}
