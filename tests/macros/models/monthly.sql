{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        partition_by=['months(happened_on)'],
        by_dates=true,
        new_rows_of=['crm.customers'],
    )
}}

-- SeaweedFS refuses a table that is partitioned by its first column.
select
    _batch,
    happened_on
from {{ ref('taken_in') }}
where {{ in_new_batches() }}
