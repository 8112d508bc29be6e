{#-
    The percentiles that features are capped at, by feature, the lower and the upper one, as the
    scope of this run has them: Spark asks for constants.
-#}
{% macro winsor_thresholds() -%}
    {%- set found = {} -%}
    {%- for feature, percentiles in scope().get('thresholds', {}).items() -%}
        {%- do found.update({feature: percentiles.split(' ')}) -%}
    {%- endfor -%}
    {%- if execute and scope() and found | sort != winsorized_features() | sort -%}
        {%- do exceptions.raise_compiler_error(
            'seeds/winsor_thresholds.csv and macros/winsorized_features.sql name different features'
        ) -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
