{#- A value of a seed as SQL: text, or null. dbt-spark's bindings know neither nulls nor quotes. -#}
{% macro literal(value) -%}
    {%- if value is none -%}
        {{ return('null') }}
    {%- endif -%}
    {{ return("'" ~ value | string | replace('\\', '\\\\') | replace("'", "\\'") ~ "'") }}
{%- endmacro %}
