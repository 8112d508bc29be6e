{#-
    A query of how far a table has got, by part of what it reads: by a macro `marks_of_<name>` of its
    own; of one that counts batches, by its columns source_name and batch; of one that is built by
    as-of date, by date; of the features by batch and by date; else by batch.
-#}
{% macro marks_of(relation, node) -%}
    {%- set own = context.get('marks_of_' ~ node.name) -%}
    {%- if own is not none -%}
        {{ return(own(relation, node)) }}
    {%- elif 'source_name' in node.columns and 'batch' in node.columns -%}
        {{ return(marks_by_source_name(relation)) }}
    {%- elif node.config.get('as_of_dates') -%}
        {{ return(marks_by_batch(relation, node) ~ ' union all ' ~ marks_by_date(relation, node)) }}
    {%- elif node.config.get('dates_of') -%}
        {{ return(marks_by_date(relation, node)) }}
    {%- endif -%}
    {{ return(marks_by_batch(relation, node)) }}
{%- endmacro %}
