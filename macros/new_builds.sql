{#-
    The condition of the as-of dates that were built since this model took them in; all of them at
    the first build and at a full refresh.

    relation: the table by as-of date that is read; its column built_at tells when.
    column: where this model keeps that moment.
-#}
{% macro new_builds(relation, column='built_at') -%}
    {%- if execute and takes_in_news() -%}
        {%- set query = 'select cast(max(' ~ column ~ ') as string) from ' ~ this -%}
        {%- set since = run_query(query)[0][0] -%}
        {%- if since -%}
            {{ return(in_dates('as_of_date', run_query(
                "select distinct cast(as_of_date as string) from " ~ relation
                ~ " where built_at > timestamp '" ~ since ~ "' order by 1"
            ).columns[0].values())) }}
        {%- endif -%}
    {%- endif -%}
    {{ return('true') }}
{%- endmacro %}
