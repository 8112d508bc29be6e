{#-
    A query of when each as-of date of a table was built (`built`), and whether it has labels
    (`labelled`), by Iceberg's metadata.

    relation: the table, partitioned by as_of_date. node: of it.
-#}
{% macro marks_by_date(relation, node) -%}
    {%- set columns = {'built': 'built_at'} -%}
    {%- if 'is_label_known' in node.columns -%}
        {%- do columns.update({'labelled': 'is_label_known'}) -%}
    {%- endif -%}
    {%- set marks = {} -%}
    {%- for part, column in columns.items() -%}
        {%- do marks.update({part: 'max(readable_metrics.' ~ column ~ '.upper_bound)'}) -%}
    {%- endfor -%}
    {{ return(marks_of_files(relation, marks, 'cast(partition.as_of_date as string)')) }}
{%- endmacro %}
