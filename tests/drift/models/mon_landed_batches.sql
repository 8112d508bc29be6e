{#- How many days have landed. A run finds it as it starts, so it is built by itself before. -#}
select
    'usage.events' as source_name,
    cast({{ var('days') }} as bigint) as batch
