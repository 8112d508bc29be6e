{#-
    Whether a table has gained rows since a profile of it was made, in this run or before it.

    node: of the table. profile: the node that keeps how far each table was read.
-#}
{% macro has_grown(node, profile) -%}
    {%- set is_empty = not has_as_of_dates(node) and newest_batch(sources_of(node) | first) < 0 -%}
    {%- if is_empty or not relation_of(node) -%}
        {{ return(false) }}
    {%- elif not has_marks(profile.unique_id)
        or (node.unique_id in selected_resources and is_behind(node)) -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set read = mark(profile.unique_id, node.schema ~ '.' ~ node.alias) -%}
    {%- if has_as_of_dates(node) -%}
        {{ return(built_dates(node).values() | max | default('', true) > (read or '')) }}
    {%- endif -%}
    {%- set newest = last_batch(node.unique_id, sources_of(node) | first) -%}
    {{ return(newest > (read | default(-1, true) | int)) }}
{%- endmacro %}
