{#- The features that are capped: those of the seed winsor_thresholds, in its order. -#}
{% macro winsorized_features() -%}
    {{ return([
        'monthly_charges', 'total_charges', 'average_monthly_charges', 'usage_events_30d',
        'call_minutes_30d', 'data_megabytes_30d', 'usage_charges_30d',
    ]) }}
{%- endmacro %}
