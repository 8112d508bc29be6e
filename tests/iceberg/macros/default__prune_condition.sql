{#- What this project knows of new rows: `dated` has those of the days of this run. -#}
{% macro default__prune_condition(column) -%}
    {%- if model.name != 'dated' -%}
        {{ return('true') }}
    {%- endif -%}
    {%- set days = [] -%}
    {%- for day in range(var('first', 0), var('batches')) -%}
        {%- do days.append("date '2024-01-0" ~ (day + 1) ~ "'") -%}
    {%- endfor -%}
    {{ return(column ~ ' in (' ~ days | join(', ') ~ ')') }}
{%- endmacro %}
