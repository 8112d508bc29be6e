{#- Whether the thirty days after an as-of date have passed, by the data of this run. -#}
{% macro is_labelled(day) -%}
    {%- set date, timedelta = modules.datetime.date, modules.datetime.timedelta -%}
    {%- set until = date.fromisoformat(day) + timedelta(days=30) -%}
    {{ return(until.isoformat() < last_known_date()) }}
{%- endmacro %}
