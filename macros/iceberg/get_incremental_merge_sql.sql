{#-
    dbt's incremental strategy `merge`: each row replaces that of its key, or is added. Other than in
    dbt-spark's own, nulls in a key are equal, or such rows would be added again and again; columns
    are named, so that the query may have others than the table; and no columns to update are none.

    config `unique_key`: the columns of the key. `merge_update_columns`, `merge_exclude_columns`:
    which columns of a row that is there are replaced, or are not; all by default.
-#}
{% macro get_incremental_merge_sql(arguments) -%}
    {%- set only = config.get('merge_update_columns') -%}
    {%- set but = config.get('merge_exclude_columns') -%}
    {%- if only is not none and but is not none -%}
        {%- do exceptions.raise_compiler_error(
            'merge_update_columns and merge_exclude_columns exclude each other'
        ) -%}
    {%- endif -%}
    {%- set columns = arguments.dest_columns -%}
    {%- set updated = [] -%}
    {%- for column in columns -%}
        {%- set name = column.strip('`') | lower -%}
        {%- if (only is none or name in spark_iceberg.list(only) | map('lower') | list)
            and (but is none or name not in spark_iceberg.list(but) | map('lower') | list) -%}
            {%- do updated.append(column) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set keys = spark_iceberg.list(arguments.unique_key) -%}
    {%- set match = spark_iceberg.key_match(keys, 'DBT_INTERNAL_SOURCE', 'DBT_INTERNAL_DEST') -%}
    {%- set predicates = [match] + spark_iceberg.list(arguments.incremental_predicates or []) -%}
    merge into {{ arguments.target_relation }} as DBT_INTERNAL_DEST
    using {{ arguments.temp_relation }} as DBT_INTERNAL_SOURCE
    on {{ predicates | join(' and ') }}
    {% if updated -%}
        when matched then update set
            {% for column in updated -%}
                DBT_INTERNAL_DEST.{{ column }} = DBT_INTERNAL_SOURCE.{{ column }}
                {{- ', ' if not loop.last }}
            {%- endfor %}
    {%- endif %}
    when not matched then insert
    ({{ columns | join(', ') }})
    values (
        {%- for column in columns %}DBT_INTERNAL_SOURCE.{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
    )
{%- endmacro %}
