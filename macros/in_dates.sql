{#- The condition that a date is one of a list; of a long one, that it is between its ends. -#}
{% macro in_dates(column, dates) -%}
    {%- if not dates -%}
        {{ return('false') }}
    {%- elif dates | length > 500 -%}
        {{ return(column ~ " between date '" ~ dates | first ~ "' and date '" ~ dates | last ~ "'") }}
    {%- endif -%}
    {{ return(column ~ " in (date '" ~ dates | join("', date '") ~ "')") }}
{%- endmacro %}
