{#- The first build of `upsert`, and a full refresh: the rows that are not deleted. -#}
{% macro get_initial_upsert_sql(compiled_code, given) -%}
    {%- set deleted = config.get('deleted_flag') -%}
    {%- if not deleted -%}
        {{ return({'sql': compiled_code, 'columns': given}) }}
    {%- endif -%}
    {%- set columns = given | rejectattr('name', 'equalto', deleted) | list -%}
    {{ return({
        'sql': 'select ' ~ columns | map(attribute='quoted') | join(', ')
            ~ ' from (' ~ compiled_code ~ ') where not ' ~ deleted,
        'columns': columns,
    }) }}
{%- endmacro %}
