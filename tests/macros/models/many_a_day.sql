select
    id,
    date_add(date '2024-01-01', cast(id div 1000 as int)) as day,
    id as batch
from range(0, 2000)
