{#-
    A view where the catalog has views; else a table of its rows, which every engine can read. The
    variable `iceberg_catalog_has_views` says which; not every REST catalog has them, and engines
    do not read each other's.
-#}
{% materialization view, adapter='spark' %}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks) }}
    {%- if var('iceberg_catalog_has_views', false) -%}
        {%- call statement('main') -%}
            {{ get_create_view_as_sql(target, compiled_code) }}
        {%- endcall -%}
    {%- else -%}
        {%- set target = this.incorporate(type='table') -%}
        {%- if load_relation(this) is none -%}
            {%- do spark_iceberg.create_table(target, compiled_code) -%}
        {%- else -%}
            {%- do spark_iceberg.replace_rows(target, compiled_code) -%}
        {%- endif -%}
        {%- do persist_docs(target, model) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
