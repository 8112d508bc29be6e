{#-
    The condition of rows that this model has not taken in yet, by the number of their batch: all of
    them at the first build and at a full refresh. Batches are numbered as they land, and the tables
    of a source take them in that order, so the highest that a table holds says what it has seen.

    source_name: of a model that reads a source, such as crm.customers: batches that are loaded
        whole are taken. relation: of any other, the table that is read.
-#}
{% macro new_batches(source_name=none, relation=none) -%}
    {%- set until = newest(relation) -%}
    {%- if source_name -%}
        {%- set until = '(select max(landed_batches.batch) from '
            ~ source('monitoring', 'mon_landed_batches')
            ~ " as landed_batches where landed_batches.source_name = '" ~ source_name ~ "')" -%}
    {%- endif -%}
    {%- if not execute or not takes_in_news() -%}
        {{ '_batch <= ' ~ until if source_name else 'true' }}
    {%- else -%}
        {%- set found = run_query(
            'select coalesce(' ~ newest(this) ~ ', -1), coalesce(' ~ until ~ ', -1)'
        )[0] -%}
        {%- if found[0] >= found[1] and not var('from_date', none) -%}
            false {{ nothing_new() }}
        {%- else -%}
            _batch > {{ found[0] }} and _batch <= {{ found[1] }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
