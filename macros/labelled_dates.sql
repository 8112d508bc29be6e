{#-
    The as-of dates of the features whose labels have become known since they were built, but for
    those that this run computes. As texts in order.
-#}
{% macro labelled_dates() -%}
    {%- set dates, computed = [], feature_dates() -%}
    {%- set node = features_node() if execute else none -%}
    {%- if node and node.unique_id in selected_resources -%}
        {%- for day, is_known in built_dates(node, 'labelled').items()
            if is_known == 'false' and is_labelled(day) and day not in computed -%}
            {%- do dates.append(day) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(dates | sort) }}
{%- endmacro %}
