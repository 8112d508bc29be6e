{#- Whether the thirty days after an as-of date have passed, as far as the data of this run goes. -#}
{% macro is_labelled(day) -%}
    {%- set until = modules.datetime.date.fromisoformat(day) + modules.datetime.timedelta(days=30) -%}
    {{ return(until.isoformat() < last_known_date()) }}
{%- endmacro %}
