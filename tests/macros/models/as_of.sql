with dates as (

    {{ date_rows(['2023-12-31', '2024-01-01', '2024-01-02', '2024-01-03', '2024-01-04']) }}
    union all
    {{ date_rows([]) }}

),

counted as (

    select
        dates.as_of_date,
        history.customer_id,
        history.version,
        history.valid_from
    from {{ ref('history') }} as history
    inner join dates
        on {{ valid_as_of('history', 'dates.as_of_date') }}

)

select
    as_of_date,
    customer_id,
    version,
    {{ latest_by(['as_of_date'], ['valid_from', 'customer_id']) }} as recency
from counted
