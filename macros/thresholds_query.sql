{#- A query of the percentiles of the seed winsor_thresholds as a part of the scope of a run. -#}
{% macro thresholds_query(thresholds) -%}
    select
        'thresholds' as node,
        feature as part,
        concat_ws(' ', lower_percentile, upper_percentile) as mark
    from {{ thresholds }}
{%- endmacro %}
