{% macro forget_schema() %}
    {% do adapter.drop_schema(api.Relation.create(schema=target.schema)) %}
{% endmacro %}
