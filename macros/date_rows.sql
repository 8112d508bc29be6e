{#- A query of a row for each date of a list, in the column as_of_date. -#}
{% macro date_rows(dates) -%}
    {%- set quoted = [] -%}
    {%- for day in dates -%}
        {%- do quoted.append("'" ~ day ~ "'") -%}
    {%- endfor -%}
    select explode(cast(array({{ quoted | join(', ') }}) as array<date>)) as as_of_date
{%- endmacro %}
