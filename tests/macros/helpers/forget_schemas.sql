{#- Drop the schema of the tests, and those whose names begin with its name. -#}
{% macro forget_schemas() %}
    {% for row in run_query('show schemas') if row[0].startswith(target.schema) %}
        {% do adapter.drop_schema(api.Relation.create(schema=row[0])) %}
    {% endfor %}
{% endmacro %}
