{#- An empty table for a seed, with its table properties, which dbt-spark's own leaves out. -#}
{% macro spark__create_csv_table(model, agate_table) %}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set columns = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
        {%- do columns.append('`' ~ name ~ '` ' ~ type) -%}
    {%- endfor -%}
    {%- set sql -%}
        create table {{ this }} ({{ columns | join(', ') }})
        {{ file_format_clause() }}
        {{ partition_cols(label='partitioned by') }}
        {{ comment_clause() }}
        {{ tblproperties_clause() }}
    {%- endset -%}
    {%- do run_query(sql) -%}
    {{ return(sql) }}
{% endmacro %}
