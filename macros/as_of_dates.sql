{#-
    The as-of dates that this run builds of a table: those that it builds of what the table is built
    from, by the config `dates_of`, those that were built there since, and those whose labels have
    become known. As texts in order; none for all, at the first build and at a full refresh.
-#}
{% macro as_of_dates(node) -%}
    {%- if not has_marks(node.unique_id) -%}
        {{ return(none) }}
    {%- elif not node.config.get('dates_of') -%}
        {{ return(feature_dates()) }}
    {%- endif -%}
    {%- set origin = node_named(node.config.dates_of) -%}
    {%- set dates = as_of_dates(origin) if origin.unique_id in selected_resources else [] -%}
    {%- if dates is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set built_from = built_dates(node, 'built_from') -%}
    {%- for day, moment in built_dates(origin).items() if built_from.get(day, '') < moment -%}
        {%- do dates.append(day) -%}
    {%- endfor -%}
    {%- for day, is_known in built_dates(node, 'labelled').items()
        if is_known == 'false' and is_labelled(day) -%}
        {%- do dates.append(day) -%}
    {%- endfor -%}
    {{ return(dates | unique | sort | list) }}
{%- endmacro %}
