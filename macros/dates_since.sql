{#-
    After which batch the dates of a source are new to this run: to the selected tables that it writes
    to by date, and to features; a pair, each none where no table asks.
-#}
{% macro dates_since(source_name) -%}
    {%- set since, known_since = [], [] -%}
    {%- for unique_id in selected_resources if unique_id in graph.nodes -%}
        {%- set node = graph.nodes[unique_id] -%}
        {%- if source_name in sources_of(node) -%}
            {%- if node.config.get('as_of_dates') -%}
                {%- do known_since.append(last_batch(unique_id, source_name)) -%}
            {%- elif is_by_dates(node) and has_marks(unique_id) and batches_of(source_name).date -%}
                {%- do since.append(last_batch(unique_id, source_name)) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return([since | min if since else none, known_since | first if known_since else none]) }}
{%- endmacro %}
