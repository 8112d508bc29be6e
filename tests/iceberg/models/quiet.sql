{{ config(materialized='incremental') }}

select {{ var('batches') }} as batch
{% if var('batches') > 5 -%}
    {{ spark_iceberg.nothing_new() }}
{%- endif %}
