{#-
    Why a row cannot be used, as an array of codes; empty for one that can. It reads trimmed texts
    and the column canonical_map.

    required: columns that must hold something. mapped: columns with their domains of the seed
    canonical_values. typed: columns with their types. rules: codes of its own with the condition.
    exempt: a condition under which nothing is required, such as that of a delete.
-#}
{% macro reject_reasons(required, mapped, typed, rules={}, exempt='false') -%}
    {%- set conditions = {} -%}
    {%- for column in required -%}
        {%- do conditions.update(
            {column ~ '_missing': column ~ ' is null and not ' ~ exempt}
        ) -%}
    {%- endfor -%}
    {%- for column, domain in mapped.items() -%}
        {%- do conditions.update({column ~ '_unmapped': is_unmapped(column, domain)}) -%}
    {%- endfor -%}
    {%- for column, type in typed.items() -%}
        {%- do conditions.update(
            {column ~ '_not_' ~ type.split('(')[0]: is_not_castable(column, type)}
        ) -%}
    {%- endfor -%}
    {%- do conditions.update(rules) -%}
    {%- set codes = [] -%}
    {%- for code, condition in conditions.items() -%}
        {%- do codes.append('case when ' ~ condition ~ " then '" ~ code ~ "' end") -%}
    {%- endfor -%}
    array_compact(array({{ codes | join(', ') }}))
{%- endmacro %}
