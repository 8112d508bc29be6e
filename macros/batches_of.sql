{#-
    What the variable `batches` says of a source: its base model, and the columns with its dates.
    Fails where it says nothing.
-#}
{% macro batches_of(source_name) -%}
    {%- if source_name not in var('batches') -%}
        {%- do exceptions.raise_compiler_error(
            'unknown source ' ~ (source_name or '') ~ ': name the sources of ' ~ model.name
            ~ ' in its config new_rows_of, and each source in the variable batches of dbt_project.yml'
        ) -%}
    {%- endif -%}
    {{ return(var('batches')[source_name]) }}
{%- endmacro %}
