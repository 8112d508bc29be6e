{#- Whether two rows have the same key, of which a part may be null. -#}
{% macro key_match(keys, one, other) -%}
    {%- for key in keys -%}
        {{ one }}.{{ key }} <=> {{ other }}.{{ key }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
