{#- The condition that a date is one of a list; of a long one, that it is between its ends. -#}
{% macro in_dates(column, dates) -%}
    {%- if not dates -%}
        {{ return('false') }}
    {%- elif dates | length > 500 -%}
        {%- set ends = [dates | first, dates | last] -%}
        {{ return(column ~ " between date '" ~ ends | join("' and date '") ~ "'") }}
    {%- endif -%}
    {{ return(column ~ " in (date '" ~ dates | join("', date '") ~ "')") }}
{%- endmacro %}
