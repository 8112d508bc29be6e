{#-
    The rows of a seed in one statement: one new snapshot of the same table, on the branch that the
    session writes to. Its readers never see it missing, empty or half full. dbt-spark's own drops
    the table first. A column that the seed no longer has stays, null.
-#}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set names = agate_table.column_names -%}
    {%- set bindings = [] -%}
    {%- for row in agate_table.rows -%}
        {%- do bindings.extend(row) -%}
    {%- endfor -%}
    {%- set row = '(' ~ (['%s'] * names | length) | join(', ') ~ ')' -%}
    {%- set sql -%}
        insert into {{ this }} replace where true
        select
            {%- for column in adapter.get_columns_in_relation(this) %}
            {% if column.name in names -%}
                cast({{ column.quoted }} as {{ column.dtype }})
            {%- else -%}
                null
            {%- endif -%}
            {{ ',' if not loop.last }}
            {%- endfor %}
        from values {{ ([row] * agate_table.rows | length) | join(', ') }}
            as seed(`{{ names | join('`, `') }}`)
    {%- endset -%}
    {%- do adapter.add_query(sql, bindings=bindings, abridge_sql_log=True) -%}
    {{ return(sql) }}
{% endmacro %}
