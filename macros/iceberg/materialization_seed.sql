{#-
    The rows of a seed as one new snapshot of the same table, on the branch that the session writes
    to; none when the table has just these rows. Its readers never see it missing, empty or half
    full, where dbt-spark's own drops the table first, ignores its properties, and fails at a quote.
    A column that the seed has gained is added; one that it no longer has stays, null.
-#}
{% materialization seed, adapter='spark' %}
    {%- set agate_table = load_agate_table() -%}
    {#- dbt reports the number of rows from it. -#}
    {%- do store_result('agate_table', response='OK', agate_table=agate_table) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set given = spark_iceberg.seed_columns(agate_table) -%}
    {%- set count = agate_table.rows | length -%}
    {{ run_hooks(pre_hooks) }}
    {%- if not spark_iceberg.table_exists(this) -%}
        {%- do spark_iceberg.create_table(
            target, spark_iceberg.seed_rows(agate_table, given), given
        ) -%}
    {%- else -%}
        {%- set listed = spark_iceberg.listed_table(target) -%}
        {%- set standing = spark_iceberg.fit_columns(target, listed.columns, given) -%}
        {%- set standing = standing + spark_iceberg.add_columns(target, standing, given) -%}
        {%- set rows = spark_iceberg.seed_rows(agate_table, standing) -%}
        {%- set differing -%}
            (({{ rows }}) except all (select * from {{ target }}))
            union all ((select * from {{ target }}) except all ({{ rows }}))
            limit 1
        {%- endset -%}
        {%- if run_query(differing) | length -%}
            {%- do run_query('insert into ' ~ target ~ ' replace where true ' ~ rows) -%}
        {%- endif -%}
        {%- do spark_iceberg.update_comments(target, listed, standing) -%}
        {%- call noop_statement('main', 'INSERT ' ~ count, 'INSERT', count) -%}
            {{ rows }}
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
