{#- Those of a list of dates, as texts, that are in the range of a backfill. -#}
{% macro backfilled(dates) -%}
    {%- set from_date = var('from_date', '') | string -%}
    {%- set to_date = var('to_date', from_date) | string -%}
    {%- set found = [] -%}
    {%- for day in dates if from_date and from_date <= day and day <= to_date -%}
        {%- do found.append(day) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
