{% snapshot checked_invalidate %}

{{
    config(
        strategy='check',
        unique_key='id',
        check_cols=['colour'],
        hard_deletes='invalidate',
    )
}}

select
    id,
    if(id = 1, '{{ var("colour") }}', 'grey') as colour
from range({{ var('batches') }})

{% endsnapshot %}
