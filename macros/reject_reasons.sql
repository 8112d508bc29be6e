{#-
    Why a row cannot be used, as an array of codes; empty for one that can. It reads trimmed texts
    and their values, by the names that values_of gives them.

    required: columns that must hold something. mapped: columns with their domains of the seed
    canonical_values. typed: columns with their types. rules: codes of its own with the condition.
    exempt: a condition under which nothing is required, such as that of a delete.

    The codes are joined and split again, since Spark interprets functions of arrays such as
    array_compact, and all that is within them.
-#}
{% macro reject_reasons(required, mapped, typed, rules={}, exempt='false') -%}
    {%- set conditions = {} -%}
    {%- for column in required -%}
        {%- do conditions.update(
            {column ~ '_missing': column ~ ' is null and not ' ~ exempt}
        ) -%}
    {%- endfor -%}
    {%- for column in mapped -%}
        {%- do conditions.update({column ~ '_unmapped': has_no_value(column)}) -%}
    {%- endfor -%}
    {%- for column, type in typed.items() -%}
        {%- do conditions.update({column ~ '_not_' ~ type.split('(')[0]: has_no_value(column)}) -%}
    {%- endfor -%}
    {%- do conditions.update(rules) -%}
    {%- set codes = [] -%}
    {%- for code, condition in conditions.items() -%}
        {%- do codes.append('case when ' ~ condition ~ " then '" ~ code ~ "' end") -%}
    {%- endfor -%}
    array_remove(split(concat_ws(' ', {{ codes | join(', ') }}), ' '), '')
{%- endmacro %}
