{#-
    The value of a text as a type; null where it has none that can be kept exactly and that each
    engine can read. Spark's casts take more than that: `2025` and `202501` for dates, years beyond
    9999, and decimals that they round.

    column: trimmed text. type: of SQL.
-#}
{% macro parsed(column, type) -%}
    {%- set kind, form = type.split('(')[0], spark_iceberg.form_of(type) -%}
    {%- set text = "if(" ~ column ~ " rlike '" ~ form ~ "', " ~ column ~ ', null)' -%}
    {%- set value = 'try_cast(' ~ text ~ ' as ' ~ type ~ ')' -%}
    {%- if form is none -%}
        try_cast({{ column }} as {{ type }})
    {%- elif kind == 'decimal' -%}
        if(
            try_cast({{ column }} as decimal(38, 18)) = {{ value }}
            and try_cast({{ column }} as double) = cast({{ value }} as double),
            {{ value }},
            null
        )
    {%- elif kind in ['date', 'timestamp'] -%}
        if(year({{ value }}) between 1 and 9999, {{ value }}, null)
    {%- else -%}
        try_cast(regexp_replace({{ text }}, '[.]0*$', '') as {{ type }})
    {%- endif -%}
{%- endmacro %}
