{#-
    The fields by which the model's table is partitioned: those that it can be created with, at_once,
    and those that are added to it, later.
-#}
{% macro partition_fields() -%}
    {%- set at_once, later = [], [] -%}
    {%- for field in spark_iceberg.partitioned_by() -%}
        {%- set transform = field.partition('(')[0] | trim | lower -%}
        {%- do (later if transform in ['bucket', 'truncate'] else at_once).append(field) -%}
    {%- endfor -%}
    {{ return({'at_once': at_once, 'later': later}) }}
{%- endmacro %}
