{#-
    The last day on which something became known, as text: labels are known up to it.

    features: a table by as-of date. history: a history of versions.
-#}
{% macro last_known_date(features, history) -%}
    {%- if not execute -%}
        {{ return('1970-01-01') }}
    {%- endif -%}
    {{ return(run_query(
        'select cast(coalesce(greatest(' ~ newest(features, 'as_of_date') ~ ', cast('
        ~ newest(history, 'valid_from') ~ " as date)), date '1970-01-01') as string)"
    )[0][0]) }}
{%- endmacro %}
