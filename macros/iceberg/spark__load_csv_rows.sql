{#-
    The rows of a seed in one statement: one new snapshot of the same table, on the branch that the
    session writes to; none when the table has just these rows. Its readers never see it missing,
    empty or half full. dbt-spark's own drops the table first. A column that the seed no longer has
    stays, null.
-#}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set names = agate_table.column_names -%}
    {%- set rows = [] -%}
    {%- for row in agate_table.rows -%}
        {%- set values = [] -%}
        {%- for value in row -%}
            {%- do values.append(spark_iceberg.literal(value)) -%}
        {%- endfor -%}
        {%- do rows.append('(' ~ values | join(', ') ~ ')') -%}
    {%- endfor -%}
    {%- set given -%}
        select
            {%- for column in adapter.get_columns_in_relation(this) %}
            {% if column.name in names -%}
                cast({{ column.quoted }} as {{ column.dtype }}) as {{ column.quoted }}
            {%- else -%}
                cast(null as {{ column.dtype }}) as {{ column.quoted }}
            {%- endif -%}
            {{ ',' if not loop.last }}
            {%- endfor %}
        from values {{ rows | join(', ') }} as seed(`{{ names | join('`, `') }}`)
    {%- endset -%}
    {%- set differing -%}
        (({{ given }}) except all (select * from {{ this }}))
        union all ((select * from {{ this }}) except all ({{ given }}))
        limit 1
    {%- endset -%}
    {%- if run_query(differing) | length -%}
        {%- do run_query('insert into ' ~ this ~ ' replace where true ' ~ given) -%}
    {%- endif -%}
    {{ return(given) }}
{% endmacro %}
