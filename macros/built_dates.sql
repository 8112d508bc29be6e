{#-
    When each as-of date of a table was built before this run, by date. by: which moment, that of the
    table (built) or that of what it was built from (built_from); or whether it has labels (labelled).
-#}
{% macro built_dates(node, by='built') -%}
    {%- set found = {} -%}
    {%- for part, value in scope().get('marks', {}).get(node.unique_id, {}).items()
        if part.startswith(by ~ ' ') -%}
        {%- do found.update({part.split(' ')[1]: value}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
