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
    {%- set since = last_batch(node.unique_id, source_name) -%}
    {%- set dates = [] -%}
    {%- if since < newest_batch(source_name) -%}
        {%- if not is_by_dates(node) or source_name not in scope().dates -%}
            {{ return(none) }}
        {%- endif -%}
        {%- for day, batch in scope().dates[source_name].items() if batch > since -%}
            {%- do dates.append(day) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(dates) }}
{%- endmacro %}
