{#-
    A query of what the metadata of a table's data files says, a row a mark: part and mark, as text.

    relation: the table. marks: by part an aggregate over the metadata table `files`. by: a text that
    stands behind each part, and that files are grouped by; none for all files together.
-#}
{% macro marks_of_files(relation, marks, by=none) -%}
    {%- set aggregates, pairs = [], [] -%}
    {%- for part, aggregate in marks.items() -%}
        {%- set name = 'mark_' ~ loop.index -%}
        {%- do aggregates.append('cast(' ~ aggregate ~ ' as string) as ' ~ name) -%}
        {%- do pairs.append("'" ~ part ~ "', " ~ name) -%}
    {%- endfor -%}
    {{ return(
        'select ' ~ ("concat(kind, ' ', grouped_by)" if by else 'kind') ~ ' as part, mark from ('
        ~ 'select grouped_by, stack(' ~ marks | length ~ ', ' ~ pairs | join(', ')
        ~ ') as (kind, mark) from (select ' ~ aggregates | join(', ') ~ ', '
        ~ (by or 'max(content)') ~ ' as grouped_by from ' ~ metadata_of(relation, 'files')
        ~ ' where content = 0' ~ (' group by ' ~ by if by else '') ~ '))'
    ) }}
{%- endmacro %}
