{#- The number of the last batch that this model's table holds; -1 before the first build. -#}
{% macro last_batch(column='_batch') -%}
    {%- if execute and takes_in_news() -%}
        {{ return(run_query('select coalesce(' ~ newest(this, column) ~ ', -1)')[0][0]) }}
    {%- endif -%}
    {{ return(-1) }}
{%- endmacro %}
