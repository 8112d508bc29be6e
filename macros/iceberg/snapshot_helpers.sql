{#- The columns that dbt stages a snapshot with, and its table does not have. -#}
{% macro snapshot_helpers() -%}
    {{ return(['dbt_change_type', 'dbt_unique_key']) }}
{%- endmacro %}
