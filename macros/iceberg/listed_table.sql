{#-
    A table as Spark lists it, in one statement: a dict with the keys columns, as `columns_of_table`
    has them; partitions, the expressions of its partition fields; and properties, by name.
-#}
{% macro listed_table(relation) -%}
    {%- set rows = run_query('describe table extended ' ~ relation) -%}
    {%- set partitions, properties = [], {} -%}
    {%- set section = namespace(name='') -%}
    {%- for row in rows -%}
        {%- if row[0].startswith('#') -%}
            {#- The heading of the list below this one begins like a section. -#}
            {%- set section.name = section.name if row[0] == '# col_name' else row[0] -%}
        {%- elif row[0] and section.name == '# Partition Information' -%}
            {%- do partitions.append(row[0]) -%}
        {%- elif row[0] and section.name == '# Partitioning' -%}
            {%- do partitions.append(row[1]) -%}
        {%- elif row[0] == 'Table Properties' -%}
            {%- for property in row[1].strip('[]').split(',') -%}
                {%- set name, _, value = property.partition('=') -%}
                {%- do properties.update({name: value}) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return({
        'columns': spark_iceberg.listed_columns(rows),
        'partitions': partitions,
        'properties': properties,
    }) }}
{%- endmacro %}
