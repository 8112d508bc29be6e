{#-
    The as-of dates that this run builds of a table. Of the features those that it computes, and
    those whose labels have become known; of others those that it builds of what the table is built
    from, by the config `dates_of`, and those that were built there since. As texts in order; none
    for all, at the first build and at a full refresh.
-#}
{% macro as_of_dates(node) -%}
    {%- if not has_marks(node.unique_id) -%}
        {{ return(none) }}
    {%- elif not node.config.get('dates_of') -%}
        {{ return((feature_dates() + labelled_dates()) | sort) }}
    {%- endif -%}
    {%- set origin = node_named(node.config.dates_of) -%}
    {%- set dates = as_of_dates(origin) if origin.unique_id in selected_resources else [] -%}
    {%- if dates is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set built = built_dates(node) -%}
    {%- for day, moment in built_dates(origin).items() if built.get(day, '') < moment -%}
        {%- do dates.append(day) -%}
    {%- endfor -%}
    {{ return(dates | unique | sort | list) }}
{%- endmacro %}
