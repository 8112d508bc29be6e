{#-
    The query of a first build and of a full refresh: that of the model, unless the strategy has a
    macro `get_initial_<strategy>_sql`, since it does more than to add rows.
-#}
{% macro iceberg_initial_sql(strategy, compiled_code) -%}
    {%- set name = 'get_initial_' ~ strategy ~ '_sql' -%}
    {{ return(context[name](compiled_code) if name in context else compiled_code) }}
{%- endmacro %}
