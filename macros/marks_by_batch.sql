{#-
    A query of how far a table has taken in its sources: the highest batch in its files, by Iceberg's
    metadata. A table that takes merges would be read whole for it otherwise. A row that was deleted
    since still counts, until its file is rewritten.

    relation: the table. node: of it; its config `new_rows_of` names the sources, and where the table
    keeps one column for each, these: a list, or a dict of columns by source.
-#}
{% macro marks_by_batch(relation, node) -%}
    {%- set sources = node.config.new_rows_of -%}
    {%- set columns = {} -%}
    {%- for source_name in sources -%}
        {%- do columns.update(
            {source_name: sources[source_name] if sources is mapping else '_batch'}
        ) -%}
    {%- endfor -%}
    select stack({{ columns | length }},
        {%- for source_name in columns %}
        '{{ source_name }}', highest_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    ) as (part, mark)
    from (
        select
            {%- for column in columns.values() %}
            max(readable_metrics.{{ column }}.upper_bound) as highest_{{ loop.index }}
            {{- ',' if not loop.last }}
            {%- endfor %}
        from {{ metadata_of(relation, 'files') }}
        where content = 0
    )
{%- endmacro %}
