{#-
    Find out what is new for the models of this run: a hook of each run's start. It asks Spark one
    statement for how far each selected table has got, from Iceberg's metadata where that says it;
    and one more for the dates in batches that base tables hold and other tables lack.
-#}
{% macro find_scope() -%}
    {%- if execute and flags.WHICH in ['run', 'build', 'snapshot'] -%}
        {%- set scope = {
            'marks': {}, 'landed': {}, 'unreconciled': {}, 'thresholds': {},
            'dates': {}, 'known_dates': {},
        } -%}
        {%- do graph.update({'scope': scope}) -%}
        {%- set queries = scope_queries() -%}
        {%- if queries -%}
            {%- for row in run_query(queries | join(' union all ')) if row[2] is not none -%}
                {%- set into = scope[row[0]] if row[0] in scope else scope.marks[row[0]] -%}
                {%- do into.update({row[1]: row[2]}) -%}
            {%- endfor -%}
            {%- do find_dates(sources_that_lag()) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
