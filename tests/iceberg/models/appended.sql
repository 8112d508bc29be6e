{{ config(materialized='incremental', partition_by=['batch'], sort_by=['colour']) }}

select
    {{ 'cast(null as string)' if var('wide') else "'" ~ var('colour') ~ "'" }} as
    {{ 'size' if var('wide') else 'colour' }},
    id as batch
from range({{ var('batches') }})
where id = {{ var('batches') }} - 1
