{#-
    The condition of the as-of dates whose thirty days have passed since this model built them;
    false at the first build and at a full refresh.

    last_known_on: the last day on which something became known, as text.
-#}
{% macro newly_labelled(last_known_on) -%}
    {%- if execute and takes_in_news() -%}
        {{ return(in_dates('as_of_date', run_query(
            'select distinct cast(as_of_date as string) from ' ~ this ~ ' where not is_label_known '
            ~ "and date_add(as_of_date, 30) < date '" ~ last_known_on ~ "' order by 1"
        ).columns[0].values())) }}
    {%- endif -%}
    {{ return('false') }}
{%- endmacro %}
