{#-
    Drop the view that stands where a table is to be made, if there is one. dbt-spark does not see
    it: `show tables` names no views of an Iceberg catalog. A catalog without views names none.
-#}
{% macro drop_standing_view(target) -%}
    {%- if var('iceberg_catalog_has_views', false) or config.get('materialized') == 'view' -%}
        {%- for row in run_query(
            'show views in ' ~ target.without_identifier() ~ " like '" ~ target.identifier ~ "'"
        ) if row[1] | lower == target.identifier | lower and not row[2] -%}
            {%- do run_query('drop view ' ~ target) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
