{#-
    The value of a text as a type; null where it has none that can be kept exactly and that each
    engine can read. Spark's casts take more than that: `2025` and `202501` for dates, years beyond
    9999, and decimals that they round.

    Regular expressions and exact decimals cost most of a cast. So an integer without a point is
    cast at once, and a decimal with no more digits than the type has is not checked for exactness.

    column: trimmed text. type: of SQL.
-#}
{% macro parsed(column, type) -%}
    {%- set kind, form = type.split('(')[0], spark_iceberg.form_of(type) -%}
    {%- set text = "if(" ~ column ~ " rlike '" ~ form ~ "', " ~ column ~ ', null)' -%}
    {%- set value = 'try_cast(' ~ text ~ ' as ' ~ type ~ ')' -%}
    {%- if form is none -%}
        try_cast({{ column }} as {{ type }})
    {%- elif kind == 'decimal' -%}
        case
            when {{ column }} rlike '{{ spark_iceberg.exact_form_of(type) }}'
                then try_cast({{ column }} as {{ type }})
            when
                try_cast({{ column }} as decimal(38, 18)) = {{ value }}
                and try_cast({{ column }} as double) = cast({{ value }} as double)
                then {{ value }}
        end
    {%- elif kind in ['date', 'timestamp'] -%}
        if(year({{ value }}) between 1 and 9999, {{ value }}, null)
    {%- else -%}
        case
            when instr({{ column }}, '.') = 0 then try_cast({{ column }} as {{ type }})
            else try_cast(regexp_replace({{ text }}, '[.]0*$', '') as {{ type }})
        end
    {%- endif -%}
{%- endmacro %}
