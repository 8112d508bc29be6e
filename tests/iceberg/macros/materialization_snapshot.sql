{#- Where dbt asks for a project's word: snapshots are made as macros/iceberg makes them. -#}
{% materialization snapshot, adapter='spark' %}
    {{ return(spark_iceberg.materialization_snapshot_spark()) }}
{% endmaterialization %}
