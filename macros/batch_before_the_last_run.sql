{#-
    The number of the last batch that a table held before its last snapshot, so that a test looks at
    what the last run added; -1 when that made the table, or replaced all its rows.

    relation: a table that runs append whole batches to.
-#}
{% macro batch_before_the_last_run(relation) -%}
    {%- if not execute -%}
        {{ return(-1) }}
    {%- endif -%}
    {%- set last = run_query(
        'select parent_id, operation from ' ~ relation ~ '.snapshots '
        ~ 'where snapshot_id = ' ~ head_of(relation)
    ) -%}
    {%- if not last | length or last[0][0] is none or last[0][1] != 'append' -%}
        {{ return(-1) }}
    {%- endif -%}
    {{ return(run_query(
        'select coalesce(' ~ newest(relation, snapshot=last[0][0]) ~ ', -1)'
    )[0][0]) }}
{%- endmacro %}
