{% snapshot checked_new_record %}

{{
    config(
        strategy='check',
        unique_key='id',
        check_cols=['colour'],
        hard_deletes='new_record',
    )
}}

-- A key may be null.
select
    nullif(id, 0) as id,
    if(id = 1, '{{ var("colour") }}', 'grey') as colour
from range({{ var('batches') }})

{% endsnapshot %}
