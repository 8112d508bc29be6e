{#- Whether a table lacks a batch of one of its sources that this run can take in. -#}
{% macro lacks_batches(node) -%}
    {%- for source_name in sources_of(node)
        if last_batch(node.unique_id, source_name) < newest_batch_for(node, source_name) -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}
