{#-
    Drop the schemas of this run of the ci target, with all that is in them:
    `dbt run-operation drop_ci_schemas --target ci`. Refuses any other target.
-#}
{% macro drop_ci_schemas() -%}
    {%- if target.name != 'ci' -%}
        {%- do exceptions.raise_compiler_error(
            'drop_ci_schemas drops what the target ci has made: add --target ci'
        ) -%}
    {%- endif -%}
    {%- for row in run_query('show schemas') if row[0].startswith(target.schema ~ '_') -%}
        {%- do adapter.drop_schema(api.Relation.create(schema=row[0])) -%}
        {%- do log('dropped ' ~ row[0], info=True) -%}
    {%- endfor -%}
{%- endmacro %}
