{#-
    The incremental strategy `upsert`: each row replaces that of its key, or is added.

    config `unique_key`: the columns of the key; nulls are equal.
    config `deleted_flag`, optional: a boolean column of the query, not of the table, that says that
        the row of that key is to go.
    config `prune_by`, optional: a column of the key by which the table is partitioned: see
        prune_condition.
-#}
{% macro get_incremental_upsert_sql(arguments) -%}
    {%- set target, source = arguments.target_relation, arguments.temp_relation -%}
    {%- set deleted = config.get('deleted_flag') -%}
    {%- set columns = arguments.dest_columns -%}
    merge into {{ target }} as known
    using {{ source }} as found
    on {{ spark_iceberg.key_match(spark_iceberg.list(arguments.unique_key), 'known', 'found') }}
    {{ spark_iceberg.prune('known') }}
    {% if deleted -%}
        when matched and found.{{ deleted }} then delete
    {%- endif %}
    when matched then update set
        {% for column in columns -%}
            known.{{ column }} = found.{{ column }}{{ ', ' if not loop.last }}
        {%- endfor %}
    when not matched {{ 'and not found.' ~ deleted if deleted }} then insert
    ({{ columns | join(', ') }})
    values (
        {%- for column in columns %}found.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
    )
{%- endmacro %}
