{#- The description of a column as a comment to keep in the table; empty where there is none. -#}
{% macro column_comment(name) -%}
    {%- if config.persist_column_docs() -%}
        {#- A name that is quoted means just this case. -#}
        {%- for each in model.columns.values()
            if each.name == name or (not each.quote and each.name | lower == name | lower) -%}
            {{ return(each.description or '') }}
        {%- endfor -%}
    {%- endif -%}
    {{ return('') }}
{%- endmacro %}
