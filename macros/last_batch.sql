{#-
    The last batch of a source that a table has taken in, by the scope of this run; -1 for none.
    node: the unique id of the table.
-#}
{% macro last_batch(node, source_name) -%}
    {{ return(mark(node, source_name) | default(-1, true) | int) }}
{%- endmacro %}
