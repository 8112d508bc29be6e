{#-
    What dbt-spark asks of each table when it lists a schema: its kind. Everything in this catalog
    is an Iceberg table, so the answer is known, and a metadata call a table is saved at every
    start. The documentation asks for more, the columns, and gets them.
-#}
{% macro describe_table_extended_without_caching(table_name) %}
    {%- if flags.WHICH != 'generate' -%}
        {{ return([['Type', 'MANAGED', ''], ['Provider', 'iceberg', '']]) }}
    {%- endif -%}
    {{ return(run_query('describe extended ' ~ table_name)) }}
{% endmacro %}
