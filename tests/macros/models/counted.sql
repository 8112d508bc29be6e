{{ config(materialized='incremental', incremental_strategy='append') }}
{% set tables = {'crm.customers': ref('taken_in'), 'usage.events': ref('read_on')} %}
{% set known = counted_batches(tables) %}

with batches as (

    {% for source_name, relation in tables.items() -%}
        select
            '{{ source_name }}' as source_name,
            _batch as batch,
            '{{ known[source_name] | join(" ") }}' as told
        from {{ relation }}
        where _batch > {{ known[source_name][0] }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
    {% if known.values() | rejectattr('1') | list | length == known | length -%}
        {{ nothing_new() }}
    {%- endif %}

)

select
    source_name,
    batch,
    told,
    count(*) as row_total
from batches
group by source_name, batch, told
