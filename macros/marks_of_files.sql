{#-
    A query of what the metadata of a table's data files says, a row a file and mark: part and mark.

    relation: the table. marks: by part an expression over the metadata table `files`. by: a text that
    stands behind each part; none where a part is of the whole table.
-#}
{% macro marks_of_files(relation, marks, by=none) -%}
    {%- set pairs = [] -%}
    {%- for part, expression in marks.items() -%}
        {%- set part = "concat('" ~ part ~ " ', " ~ by ~ ')' if by else "'" ~ part ~ "'" -%}
        {%- do pairs.append(part ~ ', cast(' ~ expression ~ ' as string)') -%}
    {%- endfor -%}
    {{ return(
        'select stack(' ~ marks | length ~ ', ' ~ pairs | join(', ') ~ ') as (part, mark) from '
        ~ metadata_of(relation, 'files') ~ ' where content = 0'
    ) }}
{%- endmacro %}
