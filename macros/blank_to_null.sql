{#-
    The text of a column without what cannot be seen around it, in any script: white space, control
    and format characters; null where nothing is left. Most values begin and end with a character
    of ASCII that can be seen, and are not looked at further.
-#}
{% macro blank_to_null(column) -%}
    nullif(
        case
            when
                ascii({{ column }}) between 33 and 126
                and ascii(right({{ column }}, 1)) between 33 and 126
                then {{ column }}
            else regexp_replace(
                {{ column }}, '^[\\p{Z}\\p{Cc}\\p{Cf}]+|[\\p{Z}\\p{Cc}\\p{Cf}]+$', ''
            )
        end,
        ''
    )
{%- endmacro %}
