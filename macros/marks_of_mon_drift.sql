{#- Up to which profiles mon_drift has compared days, for the scope of a run. -#}
{% macro marks_of_mon_drift(relation, node) -%}
    select 'judged_until' as part, cast(max(judged_until) as string) as mark from {{ relation }}
{%- endmacro %}
