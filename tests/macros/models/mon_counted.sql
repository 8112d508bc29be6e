{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=['crm.customers', 'usage.events'],
    )
}}
{% set tables = {'crm.customers': ref('taken_in'), 'usage.events': ref('read_on')} %}

with batches as (

    {% for source_name, relation in tables.items() -%}
        select
            '{{ source_name }}' as source_name,
            _batch as batch,
            {{ last_batch(model.unique_id, source_name) }} as batch_before
        from {{ relation }}
        where {{ in_new_batches(source_name) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    source_name,
    batch,
    batch_before,
    count(*) as row_total
from batches
group by source_name, batch, batch_before
