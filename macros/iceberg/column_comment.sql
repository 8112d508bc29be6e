{#- The description of a column as a comment to keep in the table; empty where there is none. -#}
{% macro column_comment(name) -%}
    {%- set documented = {} -%}
    {%- if config.persist_column_docs() -%}
        {%- for each in model.columns.values() -%}
            {%- do documented.update({each.name | lower: each.description or ''}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(documented.get(name | lower, '')) }}
{%- endmacro %}
