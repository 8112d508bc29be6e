select
    'crm.customers' as source_name,
    {{ var('whole') }} as batch
union all
select
    'usage.events' as source_name,
    99 as batch
