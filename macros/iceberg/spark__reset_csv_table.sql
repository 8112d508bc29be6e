{#- A seed's table stays when it is loaded again; columns that the seed has gained are added. -#}
{% macro spark__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set standing = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
    {%- set gained = [] -%}
    {%- for name in agate_table.column_names if name not in standing -%}
        {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
        {%- do gained.append('`' ~ name ~ '` ' ~ type) -%}
    {%- endfor -%}
    {%- if gained -%}
        {%- do run_query('alter table ' ~ this ~ ' add columns (' ~ gained | join(', ') ~ ')') -%}
    {%- endif -%}
    {{ return('') }}
{% endmacro %}
