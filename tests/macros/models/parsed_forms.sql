select
    text,
    cast({{ parsed('text', 'int') }} as string) as as_int,
    cast({{ parsed('text', 'decimal(10, 2)') }} as string) as as_decimal,
    cast({{ parsed('text', 'date') }} as string) as as_date,
    cast({{ parsed('text', 'timestamp') }} as string) as as_timestamp
from {{ ref('forms') }}
