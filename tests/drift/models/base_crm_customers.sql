select
    cast(null as string) as customer_id,
    cast(null as timestamp) as _delivered_at,
    cast(null as bigint) as _batch
where false
