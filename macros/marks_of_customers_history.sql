{#-
    How far customers_history has taken in its source, and the last day of which it knows, for the
    scope of a run.
-#}
{% macro marks_of_customers_history(relation, node) -%}
    {{ marks_by_batch(relation, node) }}
    union all
    select
        'last_date' as part,
        cast(cast(max(readable_metrics.valid_from.upper_bound) as date) as string) as mark
    from {{ metadata_of(relation, 'files') }}
    where content = 0
{%- endmacro %}
