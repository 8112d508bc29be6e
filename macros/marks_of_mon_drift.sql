{#- Up to which profiles mon_drift has compared days, for the scope of a run. -#}
{% macro marks_of_mon_drift(relation, node) -%}
    select 'judged_until' as part, judged_until as mark from {{ relation }}
{%- endmacro %}
