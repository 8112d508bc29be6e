{#-
    The last batch that a table held before this run, so that a test reads what was added; -1 where
    all is new, or that is not known. relation: a table that takes in one source.
-#}
{% macro batch_before_this_run(relation) -%}
    {{ return(batches_before_this_run(relation).values() | list | first | default(-1)) }}
{%- endmacro %}
