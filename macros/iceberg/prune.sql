{#-
    A condition, begun by `and`, that keeps a merge from reading partitions that its source does not
    name: Spark does not find out by itself. Nothing without the config `prune_by`.
-#}
{% macro prune(source, alias) -%}
    {%- set column = config.get('prune_by') -%}
    {%- if column -%}
        {#- Of their type: compared with several texts, a date itself is cast, and nothing pruned. -#}
        {%- set values = [] -%}
        {%- for row in run_query(
            'select distinct ' ~ column ~ ' as value, cast(' ~ column ~ ' as string), typeof('
            ~ column ~ ') from ' ~ source ~ ' where ' ~ column ~ ' is not null order by value'
        ) -%}
            {%- do values.append('cast(' ~ spark_iceberg.literal(row[1]) ~ ' as ' ~ row[2] ~ ')') -%}
        {%- endfor -%}
        {%- if not values -%}
            and false
        {%- elif values | length > 500 -%}
            and {{ alias }}.{{ column }} between {{ values | first }} and {{ values | last }}
        {%- else -%}
            and {{ alias }}.{{ column }} in ({{ values | join(', ') }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
