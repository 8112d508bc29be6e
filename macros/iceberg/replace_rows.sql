{#-
    Replace all rows of a table by those of a query, as one new snapshot on the branch that the
    session writes to. Columns that the query has and the table lacks are added; one that it no
    longer gives stays, null: a schema belongs to all branches of the table.
-#}
{% macro replace_rows(target, sql) -%}
    {%- set view = spark_iceberg.temporary_view(target, sql) -%}
    {%- set given = adapter.get_columns_in_relation(view) -%}
    {%- set standing = adapter.get_columns_in_relation(target) -%}
    {%- set gained = spark_iceberg.add_columns(target, standing, given) -%}
    {%- set selected = [] -%}
    {%- set given_names = given | map(attribute='name') | map('lower') | list -%}
    {%- for column in standing + gained -%}
        {%- do selected.append(
            column.quoted if column.name | lower in given_names
            else 'cast(null as ' ~ column.dtype ~ ') as ' ~ column.quoted
        ) -%}
    {%- endfor -%}
    {#- With a fixed condition the whole table is replaced, whatever the session's mode. -#}
    {%- call statement('main') -%}
        insert into {{ target }} replace where true
        select {{ selected | join(', ') }} from {{ view }}
    {%- endcall -%}
    {%- do spark_iceberg.drop_temporary_view(view) -%}
{%- endmacro %}
