select
    cast(null as string) as customer_id,
    cast(null as date) as last_known_on,
    cast(null as bigint) as _batch
where false
