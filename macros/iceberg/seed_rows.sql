{#-
    A query of the rows of a seed, typed as the table's columns; null in a column that the seed no
    longer has. A text that is no value of its column's type fails the seed.
-#}
{% macro seed_rows(agate_table, columns) -%}
    {%- set names = agate_table.column_names -%}
    {%- set rows = [] -%}
    {%- for row in agate_table.rows -%}
        {%- set values = [] -%}
        {%- for value in row -%}
            {%- do values.append(spark_iceberg.literal(value)) -%}
        {%- endfor -%}
        {%- do rows.append('(' ~ values | join(', ') ~ ')') -%}
    {%- endfor -%}
    select
        {%- for column in columns %}
        {{
            spark_iceberg.seed_value(column) if column.name in names
            else 'cast(null as ' ~ column.dtype ~ ')'
        }}
            as {{ column.quoted }}{{ ',' if not loop.last }}
        {%- endfor %}
    {% if rows -%}
        from values {{ rows | join(', ') }} as seed(`{{ names | join('`, `') }}`)
    {%- else -%}
        from (select {% for name in names %}null as `{{ name }}`{{ ', ' if not loop.last }}{% endfor %})
        where false
    {%- endif %}
{%- endmacro %}
