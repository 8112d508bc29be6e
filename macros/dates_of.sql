{#-
    The dates of a table that this run writes to, as texts in order, but for those of a backfill:
    those that new batches of its source name, or its as-of dates; none where all may be written.

    node: of the table. source_name: of a table that takes in several.
-#}
{% macro dates_of(node, source_name=none) -%}
    {%- if not has_marks(node.unique_id) -%}
        {{ return(none) }}
    {%- elif has_as_of_dates(node) -%}
        {{ return(as_of_dates(node)) }}
    {%- endif -%}
    {%- set source_name = source_name or sources_of(node) | first -%}
    {%- if last_batch(node.unique_id, source_name) < newest_batch(source_name) -%}
        {{ return(scope().dates.get(source_name)) }}
    {%- endif -%}
    {{ return([]) }}
{%- endmacro %}
