{#- The columns that dbt stages a snapshot with, and its table does not have. -#}
{% macro snapshot_helpers() -%}
    {%- set helpers = ['dbt_change_type', 'dbt_unique_key'] -%}
    {%- if config.get('unique_key') is not string -%}
        {%- for key in config.get('unique_key') -%}
            {%- do helpers.append('dbt_unique_key_' ~ loop.index) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(helpers) }}
{%- endmacro %}
