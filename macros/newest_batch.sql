{#-
    The last batch of a source that this run can take in: the last one that is loaded whole, where
    the base table of the source is built, else the last one that it holds. -1 for none.
-#}
{% macro newest_batch(source_name) -%}
    {%- set base = base_of(source_name) -%}
    {%- if base.unique_id in selected_resources or not has_marks(base.unique_id) -%}
        {{ return(scope().get('landed', {}).get(source_name, -1) | int) }}
    {%- endif -%}
    {{ return(last_batch(base.unique_id, source_name)) }}
{%- endmacro %}
