{#- The condition that one of several holds; where none can, the query has nothing new. -#}
{% macro any_of(conditions) -%}
    {%- set possible = [] -%}
    {%- for condition in conditions if condition | trim != 'false' -%}
        {%- do possible.append(condition | trim) -%}
    {%- endfor -%}
    {%- if 'true' in possible -%}
        {#- Not in brackets: Spark takes `from a where (true)` for an alias `where` of columns. -#}
        true
    {%- elif possible -%}
        ({{ possible | join(' or ') }})
    {%- else -%}
        false {{ nothing_new() }}
    {%- endif -%}
{%- endmacro %}
