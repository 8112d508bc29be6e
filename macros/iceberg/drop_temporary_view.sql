{#- Let go of a temporary view, which else keeps its plan for as long as the session lives. -#}
{% macro drop_temporary_view(view) -%}
    {%- do run_query('drop view if exists ' ~ view) -%}
{%- endmacro %}
