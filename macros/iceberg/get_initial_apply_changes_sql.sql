{#- The first build of `apply_changes`, and a full refresh: the latest record of each key. -#}
{% macro get_initial_apply_changes_sql(compiled_code, given) -%}
    {%- set columns = given | rejectattr('name', 'equalto', config.get('truncated_flag')) | list -%}
    {{ return({
        'sql': spark_iceberg.latest_changes(compiled_code, columns | map(attribute='quoted') | list),
        'columns': columns,
    }) }}
{%- endmacro %}
