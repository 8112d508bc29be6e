{#-
    Take the dates in new batches of sources into the scope of this run, by one statement: the
    post-hook of base tables and of those of moved rows, which call it for the source that was just
    taken in; and a part of find_scope, for sources whose base tables have nothing to take in.
-#}
{% macro find_dates(sources=none) -%}
    {%- if execute and scope() -%}
        {%- set queries = [] -%}
        {%- for source_name in (sources_of(model) if sources is none else sources) -%}
            {%- set since, known_since = dates_since(source_name) -%}
            {%- if since is not none or known_since is not none -%}
                {%- do scope().dates.update({source_name: {}}) -%}
                {%- do scope().known_dates.update({source_name: {}}) -%}
                {#- dbt does not know yet that a table is there whose first build this is. -#}
                {%- set base = base_of(source_name) -%}
                {%- set made = api.Relation.create(schema=base.schema, identifier=base.alias) -%}
                {%- set table = relation_of(base) or made -%}
                {%- set tables = [table, moved_of(source_name)] | reject('none') | list -%}
                {%- do queries.append(dates_query(source_name, tables, since, known_since)) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if queries -%}
            {%- for row in run_query(queries | join(' union all ') ~ ' order by day') -%}
                {%- do scope()[row[1]][row[0]].update({row[2]: row[3]}) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
