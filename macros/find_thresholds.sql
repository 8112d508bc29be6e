{#- Take the percentiles of the seed winsor_thresholds into the scope of a run: its post-hook. -#}
{% macro find_thresholds() -%}
    {%- if execute and 'thresholds' in scope() -%}
        {%- for row in run_query(thresholds_query(this)) -%}
            {%- do scope().thresholds.update({row[1]: row[2]}) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
