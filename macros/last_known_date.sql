{#-
    The last day on which something became known of a customer, as text: labels are known up to it.
    1970-01-01 where nothing is.
-#}
{% macro last_known_date() -%}
    {%- set dates = ['1970-01-01'] -%}
    {%- if execute -%}
        {%- do dates.extend(feature_dates()) -%}
        {%- do dates.extend(built_dates(features_node()) | list) -%}
        {%- do dates.append(mark(node_named('customers_history').unique_id, 'last_date') or '') -%}
        {%- do dates.extend(scope().get('known_dates', {}).get('crm.customers', [])) -%}
    {%- endif -%}
    {{ return(dates | max) }}
{%- endmacro %}
