{#-
    The regular expression of the texts of a decimal that have no more digits than the type, on
    either side of the point: each is kept exactly.

    type: of SQL.
-#}
{% macro exact_form_of(type) -%}
    {%- set parts = spark_iceberg.type_parts(type) -%}
    {{ return(
        '^[+-]?[0-9]{1,' ~ (parts.precision - parts.scale) ~ '}'
        ~ ('([.][0-9]{0,' ~ parts.scale ~ '})?' if parts.scale else '') ~ '$'
        if parts.precision > parts.scale
        else '^0$'
    ) }}
{%- endmacro %}
