{#- The place of a row in the log as one value to compare: field by field, nulls lowest. -#}
{% macro sequence(columns, alias) -%}
    struct({%- for column in columns -%}
        {{ alias }}.{{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%})
{%- endmacro %}
