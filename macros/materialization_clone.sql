{#- Where dbt asks for a project's word: clones are made as macros/iceberg makes them. -#}
{% materialization clone, adapter='spark' %}
    {{ return(spark_iceberg.materialization_clone_spark()) }}
{% endmaterialization %}
