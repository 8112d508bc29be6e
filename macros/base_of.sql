{#- The base model of a source in dbt's graph, by the variable `batches`. -#}
{% macro base_of(source_name) -%}
    {{ return(node_named(batches_of(source_name).base)) }}
{%- endmacro %}
