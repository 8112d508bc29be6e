{#-
    A condition, begun by `and`, that keeps a merge from reading partitions that its source does not
    name: Spark does not find out by itself. Nothing without the config `prune_by`.
-#}
{% macro prune(source, alias) -%}
    {%- set column = config.get('prune_by') -%}
    {%- if column -%}
        {%- set values = run_query(
            'select distinct cast(' ~ column ~ ' as string) from ' ~ source
            ~ ' where ' ~ column ~ ' is not null order by 1'
        ).columns[0].values() -%}
        {%- if not values -%}
            and false
        {%- elif values | length > 500 -%}
            and {{ alias }}.{{ column }} between '{{ values | first }}' and '{{ values | last }}'
        {%- else -%}
            and {{ alias }}.{{ column }} in ('{{ values | join("', '") }}')
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
