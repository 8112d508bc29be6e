{#- `create table`, never `create or replace`: that would wipe the main branch of one there is. -#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if temporary -%}
        {{ create_temporary_view(relation, compiled_code) }}
    {%- else -%}
        create table {{ relation }}
        {{ file_format_clause() }}
        {{ options_clause() }}
        {{ partition_cols(label='partitioned by') }}
        {{ comment_clause() }}
        {{ tblproperties_clause() }}
        as
        {{ compiled_code }}
    {%- endif -%}
{%- endmacro %}
