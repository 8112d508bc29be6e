{#-
    A temporary view of a query. Temporary views are the session's, and the threads of a run share
    one session: so the name tells schema and table.
-#}
{% macro temporary_view(target, sql, suffix='__dbt_tmp') -%}
    {%- set view = api.Relation.create(
        identifier=target.schema ~ '__' ~ target.identifier ~ suffix, type='view'
    ) -%}
    {%- call statement('create_temporary_view') -%}
        {{ create_temporary_view(view, sql) }}
    {%- endcall -%}
    {{ return(view) }}
{%- endmacro %}
