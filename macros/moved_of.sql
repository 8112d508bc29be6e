{#-
    The table of the rows of a source that have moved to another date, by the variable `batches`, if
    there is one by now.
-#}
{% macro moved_of(source_name) -%}
    {%- set name = batches_of(source_name).get('moved') -%}
    {%- set node = node_named(name) if name else none -%}
    {%- if not node -%}
        {{ return(none) }}
    {%- elif node.unique_id == model.unique_id -%}
        {#- dbt does not know yet that a table is there whose first build this is. -#}
        {{ return(this) }}
    {%- endif -%}
    {{ return(standing_relation(node)) }}
{%- endmacro %}
