{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        partition_by=['months(happened_on)'],
    )
}}

-- SeaweedFS refuses a table that is partitioned by its first column.
select
    _batch,
    happened_on
from {{ ref('taken_in') }}
where {{ new_batches(relation=ref('taken_in')) }}
