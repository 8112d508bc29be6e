{#- The end of a merge's condition, by the config `prune_by`: see prune_condition. -#}
{% macro prune(alias) -%}
    {%- if config.get('prune_by') -%}
        and {{ spark_iceberg.prune_condition(alias ~ '.' ~ config.get('prune_by')) }}
    {%- endif -%}
{%- endmacro %}
