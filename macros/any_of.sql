{#- The condition that one of several holds. -#}
{% macro any_of(conditions) -%}
    {%- set possible = [] -%}
    {%- for condition in conditions if condition | trim != 'false' -%}
        {%- do possible.append(condition | trim) -%}
    {%- endfor -%}
    {%- if 'true' in possible -%}
        {#- Not in brackets: Spark takes `from a where (true)` for an alias `where` of columns. -#}
        {{ return('true') }}
    {%- endif -%}
    {{ return('(' ~ possible | join(' or ') ~ ')' if possible else 'false') }}
{%- endmacro %}
