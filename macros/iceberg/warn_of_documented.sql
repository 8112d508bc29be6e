{#- Warn of columns that the model's YAML describes and the table has not, in dbt's own words. -#}
{% macro warn_of_documented(target, columns) -%}
    {%- if config.persist_column_docs() and model.columns -%}
        {%- do validate_doc_columns(target, model.columns, columns | map(attribute='name') | list) -%}
    {%- endif -%}
{%- endmacro %}
