{#-
    Of a list of tables those that have grown since the model, a profile of them, has read them; all
    that are there where none has, so that there is a query. What a daily run builds may not be there
    yet.
-#}
{% macro grown_tables(relations) -%}
    {%- set standing, grown = [], [] -%}
    {%- for relation in relations if not scope() or relation_of(node_of(relation)) -%}
        {%- do standing.append(relation) -%}
        {%- do grown.append(relation) if scope() and has_grown(node_of(relation), model) -%}
    {%- endfor -%}
    {{ return(grown or standing) }}
{%- endmacro %}
