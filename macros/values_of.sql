{#-
    The values of trimmed texts, each as a column with the text's name and `_value`: canonical by the
    seed canonical_values, which is in the column canonical_map, or of a type; null where a text has
    none. A query of its own computes them, so that what asks for a value twice has it computed once.

    mapped: columns with their domains. typed: columns with their types.
-#}
{% macro values_of(mapped, typed) -%}
    {%- set values = [] -%}
    {%- for column, domain in mapped.items() -%}
        {%- do values.append(canonical(column, domain) ~ ' as ' ~ column ~ '_value') -%}
    {%- endfor -%}
    {%- for column, type in typed.items() -%}
        {%- do values.append(parsed(column, type) ~ ' as ' ~ column ~ '_value') -%}
    {%- endfor -%}
    {{ values | join(',\n        ') }}
{%- endmacro %}
