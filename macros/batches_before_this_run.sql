{#-
    By source, the last batch that a table held before this run, so that a test reads what was added;
    none where that is not known, as in a test by itself.
-#}
{% macro batches_before_this_run(relation) -%}
    {%- set node = node_of(relation) -%}
    {%- set known = {} -%}
    {%- for source_name in (sources_of(node) if node and scope() else []) -%}
        {%- do known.update({source_name: last_batch(node.unique_id, source_name)}) -%}
    {%- endfor -%}
    {{ return(known) }}
{%- endmacro %}
