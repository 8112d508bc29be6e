{% snapshot stamped %}

{{ config(strategy='timestamp', unique_key=['id', 'part'], updated_at='at') }}

select
    id,
    id % 2 as part,
    '{{ var("colour") }}' as colour,
    timestamp '2024-01-01' + make_interval(
        0, 0, 0, if('{{ var("colour") }}' = 'blue', id % 2, 0)
    ) as at
from range(4)

{% endsnapshot %}
