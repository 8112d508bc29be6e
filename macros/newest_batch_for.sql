{#-
    The last batch of a source that a table can take in now: of a base table the last one that is
    loaded whole; of another the last one in a table that it reads, which may lag behind where a batch
    left no row in it, or is built in this run. -1 for none.
-#}
{% macro newest_batch_for(node, source_name) -%}
    {%- if node.name in base_tables([source_name]) -%}
        {{ return(newest_batch(source_name)) }}
    {%- endif -%}
    {%- set batches = [-1] -%}
    {%- for parent in incremental_parents(node) if source_name in sources_of(parent) -%}
        {%- if parent.unique_id in selected_resources and is_behind(parent) -%}
            {%- do batches.append(newest_batch(source_name)) -%}
        {%- elif node.name.endswith('__rejected') -%}
            {%- do batches.append(last_batch(parent.unique_id, 'rejected')) -%}
        {%- else -%}
            {%- do batches.append(last_batch(parent.unique_id, source_name)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(batches | max) }}
{%- endmacro %}
