{#-
    The rows of a seed as one `insert overwrite`: one new snapshot of the same table, which its
    readers never see missing, empty or half full. dbt-spark's own drops the table first. A seed
    whose columns have changed needs --full-refresh, which makes the table anew.
-#}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set values = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- set inferred = adapter.convert_type(agate_table, loop.index0) -%}
        {%- do values.append('cast(%s as ' ~ types.get(name, inferred) ~ ')') -%}
    {%- endfor -%}
    {%- set rows = ['(' ~ values | join(', ') ~ ')'] * agate_table.rows | length -%}
    {%- set bindings = [] -%}
    {%- for row in agate_table.rows -%}
        {%- do bindings.extend(row) -%}
    {%- endfor -%}
    {%- set sql = 'insert overwrite ' ~ this.render() ~ ' values ' ~ rows | join(', ') -%}
    {%- do adapter.add_query(sql, bindings=bindings, abridge_sql_log=True) -%}
    {{ return(sql) }}
{% endmacro %}
