{#-
    Merge the new part of a log into a history: new versions, and the ends of those before them.

    sql: the query of the new part of the log.
-#}
{% macro merge_history(target, sql) -%}
    {%- set given = spark_iceberg.columns_of_query(sql) -%}
    {%- set listed = spark_iceberg.listed_table(target) -%}
    {%- set standing = spark_iceberg.fit_columns(target, listed.columns, given) -%}
    {%- set standing = standing + spark_iceberg.add_columns(target, standing, given) -%}
    {%- set columns = spark_iceberg.quoted_names(
        standing, spark_iceberg.history_columns(given)
    ) -%}
    {%- set versions = spark_iceberg.history(sql, given | map(attribute='quoted') | list, target) -%}
    {%- call statement('main') -%}
        merge into {{ target }} as known
        using ({{ versions }}) as found
        on known.scd_id = found.scd_id
        when matched and not known.valid_to <=> found.valid_to then update set
            known.valid_to = found.valid_to
        when not matched then insert ({{ columns | join(', ') }})
        values (
            {%- for column in columns %}found.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
        )
    {%- endcall -%}
    {%- do spark_iceberg.update_comments(target, listed, standing) -%}
{%- endmacro %}
