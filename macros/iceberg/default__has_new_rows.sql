{#- Of a project that does not say: there may always be new rows. -#}
{% macro default__has_new_rows() -%}
    {{ return(true) }}
{%- endmacro %}
