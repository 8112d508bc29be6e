{#-
    The condition of the dates that this run writes to, as literals: those that new batches of the
    model's source name, or its as-of dates, and those of a backfill; all dates at the first build
    and at a full refresh.

    column: a date. source_name: of a model that takes in several.
-#}
{% macro in_new_dates(column, source_name=none) -%}
    {%- if execute and model.resource_type == 'model'
        and not is_by_dates(model) and not has_as_of_dates(model) -%}
        {%- do exceptions.raise_compiler_error(
            'in_new_dates wants the config prune_by of ' ~ model.name ~ ', or by_dates: true'
        ) -%}
    {%- endif -%}
    {%- set dates = dates_of(model, source_name) -%}
    {%- if dates is none -%}
        {{ return('true') }}
    {%- endif -%}
    {{ return(any_of([in_dates(column, dates), in_backfill(column)])) }}
{%- endmacro %}
