{#-
    Have the columns of a table hold what a query gives them: a type that Iceberg can widen is
    widened; one that would change values is refused. Spark's own assignment cuts 10.75 to 10 for a
    column of integers.

    standing: the table's columns. given: those of the query. Returns standing, with the types as they
    are then.
-#}
{% macro fit_columns(target, standing, given) -%}
    {%- set types = {} -%}
    {%- for column in given -%}
        {%- do types.update({column.name | lower: column.dtype}) -%}
    {%- endfor -%}
    {%- set fitting, unfit = [], [] -%}
    {%- for column in standing -%}
        {%- set type = types.get(column.name | lower, column.dtype) -%}
        {%- if spark_iceberg.holds_type(column.dtype, type) -%}
            {%- do fitting.append(column) -%}
        {%- elif spark_iceberg.can_widen(column.dtype, type) -%}
            {%- do run_query(
                'alter table ' ~ target ~ ' alter column ' ~ column.quoted ~ ' type ' ~ type
            ) -%}
            {%- do fitting.append(dict(column, dtype=type)) -%}
        {%- else -%}
            {%- do unfit.append(column.name ~ ' is ' ~ column.dtype ~ ', not ' ~ type) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if unfit -%}
        {%- do exceptions.raise_compiler_error(
            target ~ ' cannot hold what ' ~ model.name ~ ' gives, and Iceberg cannot change it: '
            ~ unfit | join('; ') ~ '. Cast it to that type, or name another column'
        ) -%}
    {%- endif -%}
    {{ return(fitting) }}
{%- endmacro %}
