{#-
    How far a table has got in a part of what it reads, as text, by the scope of this run; none where
    it is not there yet, or is rebuilt. node: the unique id of the table.
-#}
{% macro mark(node, part) -%}
    {{ return(scope().get('marks', {}).get(node, {}).get(part)) }}
{%- endmacro %}
