{#-
    The incremental strategy `apply_changes`: the table holds the latest record of each key, by a
    log of inserts, updates and deletes that may come in any order, and again. The result depends on
    what came, not on how: a delete leaves a tombstone, so an older update that comes later stays
    dead.

    config `unique_key`: the columns of the key, never null in a change.
    config `sequence_by`: the columns that order the changes of a key, most telling first, nulls
        lowest. Two changes that agree in all of them are the same change.
    config `deleted_flag`, optional: the boolean column that says that a change is a delete. Its row
        stays in the table: readers leave it out.
    config `truncated_flag`, optional: the boolean column that says that the change is a
        truncation. Its key is null: all that is older is gone. Where only a part of the key is
        null, it is so for what agrees in the rest. It stays as a row whose key is null.
    config `prune_by`, optional: a column that never changes for a key, by which the table is
        partitioned: see prune_condition.
-#}
{% macro get_incremental_apply_changes_sql(arguments) -%}
    {%- set target = arguments.target_relation -%}
    {%- set keys = spark_iceberg.list(arguments.unique_key) -%}
    {%- set sequence = spark_iceberg.list(config.require('sequence_by')) -%}
    {%- set columns = arguments.dest_columns -%}
    merge into {{ target }} as known
    using (
        {{ spark_iceberg.latest_changes(arguments.compiled_code, columns, target) }}
    ) as change
    on {{ spark_iceberg.key_match(keys, 'known', 'change') }}
    {{ spark_iceberg.prune('known') }}
    when matched and {{ spark_iceberg.sequence(sequence, 'change') }}
        > {{ spark_iceberg.sequence(sequence, 'known') }}
    then update set
        {% for column in columns -%}
            known.{{ column }} = change.{{ column }}{{ ', ' if not loop.last }}
        {%- endfor %}
    when not matched then insert ({{ columns | join(', ') }})
    values (
        {%- for column in columns %}change.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
    )
{%- endmacro %}
