{#-
    How far mon_column_profile has read each table, for the scope of a run: by batch, or by when
    features were built; and when it last profiled a day that can be compared with another.
-#}
{% macro marks_of_mon_column_profile(relation, node) -%}
    select
        table_name as part,
        coalesce(cast(max(until_batch) as string), cast(max(until_built_at) as string)) as mark
    from {{ relation }}
    group by table_name
    union all
    select
        'profiled_at' as part,
        cast(max(profiled_at) as string) as mark
    from (
        select max(profiled_at) as profiled_at
        from {{ relation }}
        group by table_name
        having count(distinct profiled_on) > 1
    )
{%- endmacro %}
