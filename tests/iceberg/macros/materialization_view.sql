{#- Where dbt asks for a project's word: views are made as macros/iceberg makes them. -#}
{% materialization view, adapter='spark' %}
    {{ return(spark_iceberg.materialization_view_spark()) }}
{% endmaterialization %}
