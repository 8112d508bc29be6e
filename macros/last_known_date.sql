{#-
    The last day on which something became known, as text: labels are known up to it.

    features: a table by as-of date. history: a history of versions.
-#}
{% macro last_known_date(features, history) -%}
    {%- if not execute -%}
        {{ return('1970-01-01') }}
    {%- endif -%}
    {{ return(run_query(
        "select cast(coalesce(greatest((select max(as_of_date) from " ~ features
        ~ "), (select cast(max(valid_from) as date) from " ~ history
        ~ ")), date '1970-01-01') as string)"
    )[0][0]) }}
{%- endmacro %}
