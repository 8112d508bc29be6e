{#-
    Whether a column of a type keeps each value of another as it is. Types that it does not know are
    left to Spark.

    standing: the column's type. given: the other one.
-#}
{% macro holds_type(standing, given) -%}
    {%- set integers = {'tinyint': 3, 'smallint': 5, 'int': 10, 'bigint': 19} -%}
    {%- set known = ['float', 'double', 'date', 'boolean', 'string', 'binary'] -%}
    {%- set was, now = spark_iceberg.type_parts(standing), spark_iceberg.type_parts(given) -%}
    {%- if standing == given or given == 'void' or standing == 'string' -%}
        {{ return(true) }}
    {%- elif was.kind in integers -%}
        {{ return(integers.get(now.kind, 99) <= integers[was.kind]) }}
    {%- elif was.kind == 'decimal' -%}
        {%- set whole = integers.get(now.kind, now.precision - now.scale) -%}
        {{ return(
            (now.kind == 'decimal' or now.kind in integers)
            and whole <= was.precision - was.scale and now.scale <= was.scale
        ) }}
    {%- elif was.kind == 'double' -%}
        {{ return(now.kind == 'float' or integers.get(now.kind, 99) <= 10) }}
    {%- elif was.kind == 'float' -%}
        {{ return(integers.get(now.kind, 99) <= 5) }}
    {%- elif was.kind.startswith('timestamp') -%}
        {{ return(now.kind == 'date') }}
    {%- endif -%}
    {{ return(was.kind not in known) }}
{%- endmacro %}
