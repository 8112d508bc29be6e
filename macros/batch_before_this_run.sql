{#-
    The last batch that a table held before this run, so that a test reads what was added; -1 where
    all is new, or that is not known. relation: a table that takes in one source.
-#}
{% macro batch_before_this_run(relation) -%}
    {%- set node = node_of(relation) -%}
    {{ return(last_batch(node.unique_id, sources_of(node) | first) if node and scope() else -1) }}
{%- endmacro %}
