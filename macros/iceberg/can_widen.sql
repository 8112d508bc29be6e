{#- Whether Iceberg can widen a column of a type to another: its values are read as before. -#}
{% macro can_widen(standing, given) -%}
    {%- set was, now = spark_iceberg.type_parts(standing), spark_iceberg.type_parts(given) -%}
    {{ return(
        [was.kind, now.kind] in [['int', 'bigint'], ['float', 'double']]
        or was.kind == 'decimal' == now.kind
        and was.scale == now.scale and was.precision < now.precision
    ) }}
{%- endmacro %}
