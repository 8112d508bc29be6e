{#-
    The query of a first build and of a full refresh, and its columns, as a dict with the keys sql
    and columns: those of the model, unless the strategy has a macro `get_initial_<strategy>_sql`,
    since it does more than to add rows.
-#}
{% macro initial_rows(strategy, compiled_code) -%}
    {%- set given = spark_iceberg.columns_of_query(compiled_code) -%}
    {%- set found = spark_iceberg.strategy_macro('get_initial_' ~ strategy ~ '_sql') -%}
    {{ return(
        {'sql': compiled_code, 'columns': given} if found is none
        else found(compiled_code, given)
    ) }}
{%- endmacro %}
