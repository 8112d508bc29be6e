{#-
    Whether a trimmed key holds a character that cannot be seen, but for blanks of ASCII: two keys
    that look alike would be two customers. Keys of ASCII that can be seen are not looked at further.
-#}
{% macro is_malformed_key(column) -%}
    ({{ column }} rlike '[^ -~]' and {{ column }} rlike '[\\p{Z}\\p{Cc}\\p{Cf}&&[^ ]]')
{%- endmacro %}
