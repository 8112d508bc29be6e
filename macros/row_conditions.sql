{#-
    Conditions that hold for each row of a table, by name.

    not_null: columns. values: columns with the values that they may have. rules: names of
    conditions with their SQL.
-#}
{% macro row_conditions(not_null, values, rules) -%}
    {%- set conditions = {} -%}
    {%- for column in not_null -%}
        {%- do conditions.update({column ~ '_is_not_null': column ~ ' is not null'}) -%}
    {%- endfor -%}
    {%- for column, allowed in values.items() -%}
        {%- set condition = column ~ " in ('" ~ allowed | join("', '") ~ "')" -%}
        {%- do conditions.update({column ~ '_is_known': condition}) -%}
    {%- endfor -%}
    {%- do conditions.update(rules) -%}
    {{ return(conditions) }}
{%- endmacro %}
