{#- The names of the base models of sources, by the variable `batches`. -#}
{% macro base_tables(sources) -%}
    {%- set names = [] -%}
    {%- for source_name in sources | unique -%}
        {%- do names.append(batches_of(source_name).base) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}
