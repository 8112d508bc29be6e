{#- dbt's own changes of a table's schema, which ask for a relation with the columns of the query. -#}
{% macro change_schema(on_schema_change, target, sql) -%}
    {#- Temporary views are the session's, which the threads of a run share: named by the table. -#}
    {%- set view = api.Relation.create(
        identifier=target.schema ~ '__' ~ target.identifier ~ '__dbt_tmp', type='view'
    ) -%}
    {%- do run_query(create_temporary_view(view, sql)) -%}
    {%- do process_schema_changes(on_schema_change, view, target) -%}
    {%- do run_query('drop view if exists ' ~ view) -%}
{%- endmacro %}
