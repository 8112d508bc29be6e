{#-
    Replace all rows of a table with those of a query, as one new snapshot on the branch that the
    session writes to. Columns that only the query has are added; a column that only the table has
    stays, null: a schema belongs to all branches of the table.
-#}
{% macro replace_rows(target, sql, given) -%}
    {%- set listed = spark_iceberg.listed_table(target) -%}
    {%- set standing = spark_iceberg.fit_columns(target, listed.columns, given) -%}
    {%- do spark_iceberg.settle_table(target, listed) -%}
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
        select {{ selected | join(', ') }} from ({{ sql }})
    {%- endcall -%}
    {%- do spark_iceberg.update_comments(target, listed, standing + gained) -%}
{%- endmacro %}
