{#-
    When each as-of date of a table, or what it was built from, was built before this run, by date
    (built); or whether it has labels (labelled).
-#}
{% macro built_dates(node, by='built') -%}
    {%- set found = {} -%}
    {%- for part, value in scope().get('marks', {}).get(node.unique_id, {}).items()
        if part.startswith(by ~ ' ') -%}
        {%- do found.update({part.split(' ')[1]: value}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
