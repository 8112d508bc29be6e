{% snapshot checked_new_record %}

{{
    config(
        strategy='check',
        unique_key='id',
        check_cols=['colour'],
        hard_deletes='new_record',
    )
}}

select
    id,
    if(id = 1, '{{ var("colour") }}', 'grey') as colour
from range({{ var('batches') }})

{% endsnapshot %}
