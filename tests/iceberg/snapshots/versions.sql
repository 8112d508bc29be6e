{% snapshot versions %}

{{
    config(
        strategy='change_log',
        unique_key=['trial', 'id'],
        updated_at='at',
        sequence_by=['at', 'lsn', 'number'],
        deleted_flag='is_deleted',
        truncated_flag='is_truncated',
    )
}}

select
    id,
    if(is_deleted, null, colour) as colour,
    trial,
    at,
    lsn,
    number,
    is_deleted,
    is_truncated
    {%- if var('wide') %},
        number * 2 as twice
    {%- endif %}
from {{ target.schema }}.changes
where
    batch
    {{ '=' if load_relation(this) is not none and not flags.FULL_REFRESH else '<=' }}
    {{ var('batches') }}

{% endsnapshot %}
