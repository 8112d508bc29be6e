{#- Each batch once, when it is loaded whole. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['crm.customers'],
    )
}}
-- depends_on: {{ ref('mon_landed_batches') }}

{% for raw in unreconciled_tables() -%}
    select
        '{{ raw.source_name }}' as source_name,
        cast(max(batch) as bigint) as batch,
        '{{ raw.table }} since {{ raw.since[:10] }}' as found,
        true as is_reconciled
    from {{ ref('mon_landed_batches') }}
    where source_name = '{{ raw.source_name }}'
    union all
{% endfor %}
select
    'none' as source_name,
    cast(0 as bigint) as batch,
    '' as found,
    false as is_reconciled
where false
