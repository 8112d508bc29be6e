{#-
    The tables and views of a schema. dbt-spark's own `show table extended` reads the metadata of
    each table, and names no views of an Iceberg catalog. What it says of columns is asked of each
    table where it is wanted, for the documentation.
-#}
{% macro spark__list_relations_without_caching(relation) -%}
    {%- set schema = relation.without_identifier() -%}
    {%- set found = [] -%}
    {%- for row in run_query('show tables in ' ~ schema) if not row[2] -%}
        {%- do found.append([row[0], row[1], false, 'Type: MANAGED\nProvider: iceberg\n']) -%}
    {%- endfor -%}
    {%- if var('iceberg_catalog_has_views', false) -%}
        {%- for row in run_query('show views in ' ~ schema) if not row[2] -%}
            {%- do found.append([row[0], row[1], false, 'Type: VIEW\n']) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
