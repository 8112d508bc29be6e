{#-
    For each condition of a table how many of its rows fail it, as an aggregate, by name.

    grain: columns that no two rows agree in all of. not_null: columns. values: columns with the
    values that they may have. rules: names of conditions with their SQL.
-#}
{% macro failure_counts(grain, not_null, values, rules) -%}
    {%- set conditions = {} -%}
    {%- for column in not_null -%}
        {%- do conditions.update({column ~ '_is_not_null': column ~ ' is not null'}) -%}
    {%- endfor -%}
    {%- for column, allowed in values.items() -%}
        {%- set condition = column ~ " in ('" ~ allowed | join("', '") ~ "')" -%}
        {%- do conditions.update({column ~ '_is_known': condition}) -%}
    {%- endfor -%}
    {%- do conditions.update(rules) -%}
    {%- set counts = {} -%}
    {%- for name, condition in conditions.items() -%}
        {%- do counts.update({name: 'count_if(not (' ~ condition ~ '))'}) -%}
    {%- endfor -%}
    {%- if grain -%}
        {%- set distinct = 'count(distinct struct(' ~ grain | join(', ') ~ '))' -%}
        {%- do counts.update({'grain_is_unique': 'count(*) - ' ~ distinct}) -%}
    {%- endif -%}
    {{ return(counts) }}
{%- endmacro %}
