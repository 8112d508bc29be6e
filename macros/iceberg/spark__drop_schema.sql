{#- Drop a schema with all that is in it: an Iceberg catalog drops only an empty one. -#}
{% macro spark__drop_schema(relation) -%}
    {%- set name = relation.without_identifier() if relation.identifier else relation -%}
    {%- set standing = run_query('show schemas').columns[0].values() -%}
    {%- if name.schema in standing -%}
        {%- if var('iceberg_catalog_has_views', false) -%}
            {%- for row in run_query('show views in ' ~ name) if not row[2] -%}
                {%- do run_query('drop view ' ~ name ~ '.' ~ adapter.quote(row[1])) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- for row in run_query('show tables in ' ~ name) -%}
            {%- do run_query('drop table ' ~ name ~ '.' ~ adapter.quote(row[1]) ~ ' purge') -%}
        {%- endfor -%}
        {%- do run_query('drop schema if exists ' ~ name) -%}
    {%- endif -%}
{%- endmacro %}
