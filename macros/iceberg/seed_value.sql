{#- The value of a seed's text as its column's type; an error where it has none. -#}
{% macro seed_value(column) -%}
    {%- if column.dtype == 'string' -%}
        {{ return(column.quoted) }}
    {%- endif -%}
    if(
        {{ column.quoted }} is null,
        null,
        coalesce(
            {{ spark_iceberg.parsed(column.quoted, column.dtype) }},
            raise_error(concat(
                'the seed {{ model.name }} has "', {{ column.quoted }},
                '" in column {{ column.name }}, which is no {{ column.dtype }}'
            ))
        )
    )
{%- endmacro %}
