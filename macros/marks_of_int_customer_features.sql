{#-
    How far int_customer_features has taken in each source, and when each as-of date was built, for
    the scope of a run.
-#}
{% macro marks_of_int_customer_features(relation, node) -%}
    {{ return(marks_by_batch(relation, node) ~ ' union all ' ~ marks_by_date(relation, node)) }}
{%- endmacro %}
