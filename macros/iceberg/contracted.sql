{#- What the model's YAML says of a column, by its name in any case; empty where it says nothing. -#}
{% macro contracted(name) -%}
    {%- for column in model.columns.values() if column.name | lower == name | lower -%}
        {{ return(column) }}
    {%- endfor -%}
    {{ return({}) }}
{%- endmacro %}
