{#-
    Whether a table is written by the dates that new batches name: by its config `prune_by`, or
    `by_dates` where it has none.
-#}
{% macro is_by_dates(node) -%}
    {{ return(node.config.get('prune_by') is not none or node.config.get('by_dates') is not none) }}
{%- endmacro %}
