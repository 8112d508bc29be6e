{#- A macro of a strategy by its name, none where there is none. Those here come before dbt's. -#}
{% macro strategy_macro(name) -%}
    {{ return(spark_iceberg[name] if name in spark_iceberg else context.get(name)) }}
{%- endmacro %}
