{#- Where dbt asks for a project's word: tables are made as macros/iceberg makes them. -#}
{% materialization table, adapter='spark' %}
    {{ return(spark_iceberg.materialization_table_spark()) }}
{% endmaterialization %}
