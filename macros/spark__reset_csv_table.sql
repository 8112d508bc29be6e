{#- A seed's table stays as it is when it is loaded again, but for --full-refresh. -#}
{% macro spark__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {%- if full_refresh -%}
        {%- do adapter.drop_relation(old_relation) -%}
        {{ return(create_csv_table(model, agate_table)) }}
    {%- endif -%}
    {{ return('') }}
{% endmacro %}
