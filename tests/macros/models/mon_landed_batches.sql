select
    'crm.customers' as source_name,
    'raw.customers' as raw_table,
    cast({{ var('whole') }} as bigint) as batch,
    timestamp '2024-01-0{{ var('run') }} 10:00:00' as landed_at
union all
select
    'usage.events' as source_name,
    'raw.events' as raw_table,
    cast(99 as bigint) as batch,
    timestamp '2024-01-01 10:00:00' as landed_at
union all
select
    'support.tickets' as source_name,
    'raw.tickets' as raw_table,
    cast({{ var('whole') }} as bigint) as batch,
    timestamp '2024-01-01 10:00:00' as landed_at
