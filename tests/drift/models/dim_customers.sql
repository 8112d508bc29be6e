select
    cast(null as string) as customer_id,
    cast(null as timestamp) as last_updated,
    cast(null as bigint) as _batch
where false
