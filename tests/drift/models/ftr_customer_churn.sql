select
    cast(null as string) as customer_id,
    cast(null as date) as as_of_date,
    cast(null as timestamp) as built_at,
    cast(null as bigint) as _batch
where false
