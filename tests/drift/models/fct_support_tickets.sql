select
    cast(null as string) as customer_id,
    cast(null as date) as known_on,
    cast(null as bigint) as _batch
where false
