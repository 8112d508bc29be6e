{#- Where dbt asks for a project's word: incrementals are made as macros/iceberg makes them. -#}
{% materialization incremental, adapter='spark' %}
    {{ return(spark_iceberg.materialization_incremental_spark()) }}
{% endmaterialization %}
