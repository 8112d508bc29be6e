{#-
    A table whose rows are replaced at each run, as a new snapshot of the same table: readers,
    tags, branches and history survive. dbt-spark's own replaces the table, and with it the main
    branch, whatever branch the session writes to.
-#}
{% materialization table, adapter='spark' %}
    {%- set existing = load_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is none -%}
        {%- do spark_iceberg.create_table(target, compiled_code) -%}
    {%- else -%}
        {%- do spark_iceberg.replace_rows(target, compiled_code) -%}
    {%- endif -%}
    {%- do persist_docs(target, model) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
