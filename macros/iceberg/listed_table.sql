{#-
    A table as Spark lists it, in one statement: a dict with the keys columns, dicts with the keys
    name, quoted, dtype and comment; partitions, the expressions of its partition fields; properties,
    by name; and comment.
-#}
{% macro listed_table(relation) -%}
    {%- set rows = run_query('describe table extended ' ~ relation) -%}
    {%- set partitions, properties = [], {} -%}
    {%- set section = namespace(name='', comment='') -%}
    {%- for row in rows -%}
        {%- if row[0].startswith('#') -%}
            {#- The heading of the list below this one begins like a section. -#}
            {%- set section.name = section.name if row[0] == '# col_name' else row[0] -%}
        {%- elif row[0] and section.name == '# Partition Information' -%}
            {%- do partitions.append(row[0]) -%}
        {%- elif row[0] and section.name == '# Partitioning' -%}
            {%- do partitions.append(row[1]) -%}
        {%- elif row[0] == 'Comment' -%}
            {%- set section.comment = row[1] -%}
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
        'comment': section.comment,
    }) }}
{%- endmacro %}
