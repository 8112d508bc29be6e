{#- What this project says of its models: `quiet` has new rows up to its fifth batch only. -#}
{% macro default__has_new_rows() -%}
    {{ return(model.name != 'quiet' or var('batches') <= 5) }}
{%- endmacro %}
