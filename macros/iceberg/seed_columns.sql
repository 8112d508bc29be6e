{#- The columns of a seed, as `columns_of_query` has them: as its config types them, or its values. -#}
{% macro seed_columns(agate_table) -%}
    {%- set types = config.get('column_types') or {} -%}
    {%- set columns = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- do columns.append({
            'name': name,
            'quoted': adapter.quote(name),
            'dtype': types.get(name, adapter.convert_type(agate_table, loop.index0)),
            'comment': '',
        }) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
