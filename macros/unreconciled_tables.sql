{#-
    The raw tables with batches that are not reconciled yet, by the scope of this run: dicts with the
    keys source_name, table and since, the moment at which the first of them landed.
-#}
{% macro unreconciled_tables() -%}
    {%- set found = [] -%}
    {%- for part, since in scope().get('unreconciled', {}) | dictsort -%}
        {%- set source_name, table = part.split(' ') -%}
        {%- do found.append({'source_name': source_name, 'table': table, 'since': since}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
