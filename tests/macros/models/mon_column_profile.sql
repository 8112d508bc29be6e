{#- Of each table that has grown how far it is read. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['crm.customers'],
    )
}}
{% for relation in grown_tables([ref('taken_in'), ref('features')]) -%}
    {% set by_date = relation.identifier == 'features' -%}
    select
        '{{ relation.schema }}.{{ relation.identifier }}' as table_name,
        until_batch,
        until_built_at,
        explode(array(date '2024-01-01', date '2024-01-02')) as profiled_on,
        {{ var('run') }} as run,
        current_timestamp() as profiled_at
    from (
        select
            {{ 'cast(null as bigint)' if by_date else 'max(_batch)' }} as until_batch,
            {{ 'max(built_at)' if by_date else 'cast(null as timestamp)' }} as until_built_at
        from {{ relation }}
    )
    {{ 'union all' if not loop.last }}
{% endfor %}
