{#-
    For each source the last batch that this model has counted, -1 for none, and whether its table
    has a later one.

    tables: the tables that are counted, by source.
-#}
{% macro counted_batches(tables) -%}
    {%- set found = {} -%}
    {%- for source_name, relation in tables.items() -%}
        {%- do found.update({source_name: [-1, true]}) -%}
        {%- if execute and takes_in_news() -%}
            {%- set row = run_query(
                "select (select coalesce(max(batch), -1) from " ~ this ~ " where source_name = '"
                ~ source_name ~ "'), coalesce(" ~ newest(relation) ~ ", -1)"
            )[0] -%}
            {%- do found.update({source_name: [row[0], row[1] > row[0]]}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
