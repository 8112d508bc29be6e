{#- How many rows of each batch were rejected, by reason: an unmapped value is one of them. -#}
{% set sources = var('batches') | list %}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        new_rows_of=sources,
    )
}}

with rejected as (

    {% for source_name in sources -%}
        select
            '{{ source_name }}' as source_name,
            _batch as batch,
            _landed_at,
            explode(reject_reasons) as reject_reason
        from {{ ref('stg_' ~ source_name.replace('.', '_') ~ '__rejected') }}
        where {{ in_new_batches(source_name) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        -- ids
        source_name,
        batch,
        reject_reason,

        -- numerics
        count(*) as rejected_rows,

        -- booleans
        endswith(reject_reason, '_unmapped') as is_unmapped,

        -- timestamps
        min(_landed_at) as landed_at
    from rejected
    group by source_name, batch, reject_reason

)

select * from counted
