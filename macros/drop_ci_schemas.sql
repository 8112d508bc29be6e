{#-
    Drop the schemas of this run of the ci target, with all that is in them:
    `dbt run-operation drop_ci_schemas --target ci`. Refuses any other target.

    They are those of the project's own nodes, by their whole names: what only begins as they do may
    be another run's, `ci_7_0_marts` beside `ci_7_marts`.
-#}
{% macro drop_ci_schemas() -%}
    {%- if target.name != 'ci' -%}
        {%- do exceptions.raise_compiler_error(
            'drop_ci_schemas drops what the target ci has made: add --target ci'
        ) -%}
    {%- endif -%}
    {%- set made = graph.nodes.values() | map(attribute='schema') | list -%}
    {%- for row in run_query('show schemas')
        if row[0] in made and row[0].startswith(target.schema ~ '_') -%}
        {%- do adapter.drop_schema(api.Relation.create(schema=row[0])) -%}
        {%- do log('dropped ' ~ row[0], info=True) -%}
    {%- endfor -%}
{%- endmacro %}
