{#-
    What `dbt clone` makes of a model: a view of the table that the other state has. Iceberg has no
    table that shares another's files, and a copy of each table is not what a clone is asked for.
-#}
{% materialization clone, adapter='spark' %}
    {%- if not defer_relation -%}
        {%- do log('the state has no ' ~ model.name ~ ': nothing is cloned', info=true) -%}
    {%- elif defer_relation | string == this | string -%}
        {%- do log('skipping clone for relation ' ~ this ~ ': it is itself') -%}
    {%- elif not var('iceberg_catalog_has_views', false) -%}
        {%- do exceptions.raise_compiler_error(
            'dbt clone makes views, and this catalog has none: build with --defer --state instead'
        ) -%}
    {%- elif load_relation(this) is not none and not flags.FULL_REFRESH -%}
        {%- do log(this ~ ' stays as it is: --full-refresh replaces it', info=true) -%}
    {%- else -%}
        {%- set target = this.incorporate(type='view') -%}
        {%- do run_query('drop table if exists ' ~ this ~ ' purge')
            if spark_iceberg.table_exists(this) -%}
        {%- call statement('main') -%}
            {{ get_create_view_as_sql(target, 'select * from ' ~ defer_relation) }}
        {%- endcall -%}
        {{ return({'relations': [target]}) }}
    {%- endif -%}
    {{ return({'relations': []}) }}
{% endmaterialization %}
