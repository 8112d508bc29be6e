{#-
    The query of a first build and of a full refresh: that of the model, unless the strategy has a
    macro `get_initial_<strategy>_sql`, since it does more than to add rows.
-#}
{% macro initial_sql(strategy, compiled_code) -%}
    {%- set found = spark_iceberg.strategy_macro('get_initial_' ~ strategy ~ '_sql') -%}
    {{ return(compiled_code if found is none else found(compiled_code)) }}
{%- endmacro %}
