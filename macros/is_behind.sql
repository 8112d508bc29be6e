{#-
    Whether this run has anything for a table to take in: batches of its sources, or as-of dates; or
    whatever a macro `is_behind_<name>` of its own says.
-#}
{% macro is_behind(node) -%}
    {%- if not has_marks(node.unique_id) -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set own = context.get('is_behind_' ~ node.name) -%}
    {%- if own is not none -%}
        {{ return(own(node)) }}
    {%- endif -%}
    {%- if has_as_of_dates(node) -%}
        {%- set dates = as_of_dates(node) -%}
        {{ return(dates is none or dates | length > 0) }}
    {%- endif -%}
    {{ return(lacks_batches(node)) }}
{%- endmacro %}
