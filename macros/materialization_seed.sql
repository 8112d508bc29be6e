{#- Where dbt asks for a project's word: seeds are loaded as macros/iceberg loads them. -#}
{% materialization seed, adapter='spark' %}
    {{ return(spark_iceberg.materialization_seed_spark()) }}
{% endmaterialization %}
