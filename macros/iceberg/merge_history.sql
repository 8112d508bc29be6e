{#- Merge the new part of a log into a history: new versions, and the ends of those before them. -#}
{% macro merge_history(target, sql) -%}
    {%- set versions = spark_iceberg.temporary_view(target, spark_iceberg.history(sql, target)) -%}
    {%- set columns = spark_iceberg.shared_columns(
        adapter.get_columns_in_relation(target), adapter.get_columns_in_relation(versions)
    ) -%}
    {%- call statement('main') -%}
        merge into {{ target }} as known
        using {{ versions }} as found
        on known.scd_id = found.scd_id
        when matched and not known.valid_to <=> found.valid_to then update set
            known.valid_to = found.valid_to
        when not matched then insert ({{ columns | join(', ') }})
        values (
            {%- for column in columns %}found.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
        )
    {%- endcall -%}
    {%- do spark_iceberg.drop_temporary_view(versions) -%}
{%- endmacro %}
