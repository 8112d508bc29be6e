{#-
    The percentiles that features are capped at, by feature, the lower and the upper one: Spark asks
    for constants. thresholds: the seed winsor_thresholds.
-#}
{% macro winsor_thresholds(thresholds) -%}
    {%- set found = {} -%}
    {%- if execute -%}
        {%- for row in run_query(
            'select feature, lower_percentile, upper_percentile from ' ~ thresholds
        ) -%}
            {%- do found.update({row[0]: [row[1], row[2]]}) -%}
        {%- endfor -%}
        {%- if found | sort != winsorized_features() | sort -%}
            {%- do exceptions.raise_compiler_error(
                'seeds/winsor_thresholds.csv and macros/winsorized_features.sql name different '
                ~ 'features'
            ) -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
