{#-
    How far customers_history has taken in its source, and the last day of which it knows, for the
    scope of a run.
-#}
{% macro marks_of_customers_history(relation, node) -%}
    {{ return(
        marks_by_batch(relation, node) ~ ' union all ' ~ marks_of_files(
            relation, {'last_date': 'cast(max(readable_metrics.valid_from.upper_bound) as date)'}
        )
    ) }}
{%- endmacro %}
