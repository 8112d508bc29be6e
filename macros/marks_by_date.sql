{#-
    A query of when each as-of date of a table was built, and which dates have no labels yet, by
    Iceberg's metadata.

    relation: the table, partitioned by as_of_date. node: of it.
-#}
{% macro marks_by_date(relation, node) -%}
    {%- set is_labelled = 'is_label_known' in node.columns -%}
    {%- set built_from = 'features_built_at' if 'features_built_at' in node.columns else 'built_at' -%}
    select
        explode(map(
            concat('built ', as_of_date), cast(built_at as string),
            concat('built_from ', as_of_date), cast(built_from as string)
            {%- if is_labelled %},
            concat('labelled ', as_of_date), cast(is_label_known as string)
            {%- endif %}
        )) as (part, mark)
    from (
        select
            cast(partition.as_of_date as string) as as_of_date,
            max(readable_metrics.built_at.upper_bound) as built_at,
            max(readable_metrics.{{ built_from }}.upper_bound) as built_from
            {%- if is_labelled %},
            max(readable_metrics.is_label_known.upper_bound) as is_label_known
            {%- endif %}
        from {{ metadata_of(relation, 'files') }}
        where content = 0
        group by partition.as_of_date
    )
{%- endmacro %}
