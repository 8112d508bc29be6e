{#-
    The whole seed canonical_values as one value, a map of maps: by domain the canonical value of
    each raw one. A query by itself that Spark runs once, whatever the number of rows.
-#}
{% macro canonical_map() -%}
    (
        select map_from_entries(collect_list(struct(domain, canonical_of)))
        from (
            select
                domain,
                map_from_entries(collect_list(struct(raw_value, canonical_value))) as canonical_of
            from {{ ref('canonical_values') }}
            group by domain
        )
    )
{%- endmacro %}
