{#- One row, one column: the whole seed canonical_values as a map of `domain:raw value`. -#}
{% macro canonical_map() -%}
    select
        map_from_entries(
            collect_list(struct(concat(domain, ':', raw_value), canonical_value))
        ) as canonical_map
    from {{ ref('canonical_values') }}
{%- endmacro %}
