{#- Of a project that does not say: rows may belong to any partition. -#}
{% macro default__prune_condition(column) -%}
    {{ return('true') }}
{%- endmacro %}
