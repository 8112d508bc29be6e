{#-
    A table whose rows are replaced at each run, as a new snapshot of the same table: readers,
    tags, branches and history survive. dbt-spark's own replaces the table, and with it the main
    branch, whatever branch the session writes to.
-#}
{% materialization table, adapter='spark' %}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- set rows = spark_iceberg.checked_query(compiled_code) -%}
    {%- do spark_iceberg.build_table(target, rows, spark_iceberg.table_exists(this)) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
