{#-
    The sources whose base tables have nothing to take in, while a selected table lacks batches that
    they hold, or a backfill asks for their dates.
-#}
{% macro sources_that_lag() -%}
    {%- set found = [] -%}
    {%- for source_name in var('batches') -%}
        {%- set base = base_of(source_name) -%}
        {%- set since, known_since = dates_since(source_name) -%}
        {%- set oldest = [since, known_since] | reject('none') | list -%}
        {%- if oldest and has_marks(base.unique_id)
            and (base.unique_id not in selected_resources or not lacks_batches(base))
            and (oldest | min < newest_batch(source_name) or var('from_date', none)) -%}
            {%- do found.append(source_name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
