{#- The partitions that the new rows of a model belong to, for macros/iceberg: see in_new_dates. -#}
{% macro default__prune_condition(column) -%}
    {{ return(in_new_dates(column)) }}
{%- endmacro %}
