{#- A type of SQL in parts: kind, and the precision and scale of a decimal. -#}
{% macro type_parts(type) -%}
    {%- set kind, _, sizes = type.partition('(') -%}
    {%- set sizes = sizes.rstrip(')').split(',') if kind == 'decimal' and sizes else [10, 0] -%}
    {{ return({
        'kind': kind,
        'precision': sizes[0] | int,
        'scale': (sizes[1] | int) if kind == 'decimal' and sizes | length > 1 else 0,
    }) }}
{%- endmacro %}
