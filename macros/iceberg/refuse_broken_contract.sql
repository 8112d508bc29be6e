{#-
    Raise an error that names what a query has otherwise than the model's contract says: columns that
    are missing, that are too many, or of another type. Spark says what a type is called.

    given: the columns of the query.
-#}
{% macro refuse_broken_contract(given) -%}
    {%- set names = given | map(attribute='name') | map('lower') | list -%}
    {%- set faults, casts, agreed = [], [], [] -%}
    {%- for column in model.columns.values() -%}
        {%- if column.name | lower not in names -%}
            {%- do faults.append(column.name ~ ' is missing') -%}
        {%- else -%}
            {%- do agreed.append(column.name | lower) -%}
            {%- do casts.append('cast(null as ' ~ column.data_type ~ ') as c' ~ loop.index) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set wanted = {} -%}
    {%- if casts -%}
        {%- set types = spark_iceberg.columns_of_query('select ' ~ casts | join(', ')) -%}
        {%- for name in agreed -%}
            {%- do wanted.update({name: types[loop.index0].dtype}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for column in given -%}
        {%- set type = wanted.get(column.name | lower) -%}
        {%- if type is none -%}
            {%- do faults.append(column.name ~ ' is not in it') -%}
        {%- elif type != column.dtype -%}
            {%- do faults.append(column.name ~ ' is ' ~ column.dtype ~ ', not ' ~ type) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if faults -%}
        {%- do exceptions.raise_compiler_error(
            model.name ~ ' breaks its contract: ' ~ faults | join('; ')
        ) -%}
    {%- endif -%}
{%- endmacro %}
