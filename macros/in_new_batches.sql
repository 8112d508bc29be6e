{#-
    The condition of rows that the model has not taken in yet, by the number of their batch; all of
    them at the first build and at a full refresh. A base table takes in batches that are loaded
    whole. Batches are numbered as they land, and tables take them in that order, so the highest one
    in a table says what it holds.

    source_name: of a model that reads several. column: that has the number.
-#}
{% macro in_new_batches(source_name=none, column='_batch') -%}
    {%- set source_name = source_name or sources_of(model) | first -%}
    {%- set conditions = [] -%}
    {%- if has_marks(model.unique_id) -%}
        {%- do conditions.append(column ~ ' > ' ~ last_batch(model.unique_id, source_name)) -%}
    {%- endif -%}
    {%- if scope() and model.name in base_tables([source_name]) -%}
        {%- do conditions.append(column ~ ' <= ' ~ newest_batch(source_name)) -%}
    {%- endif -%}
    {{ return(conditions | join(' and ') or 'true') }}
{%- endmacro %}
