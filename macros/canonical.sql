{#-
    The canonical value of a column, through the seed canonical_values: case and blanks around the
    value do not matter. Null where the value is blank, and where the seed does not know it; the two
    are told apart by `is_unmapped`.

    The seed reaches the query as one value in a column named canonical_map, `canonical_map()`: a
    lookup a value, where a join a column would shuffle or broadcast a dozen times.
-#}
{% macro canonical(column, domain) -%}
    try_element_at(canonical_map['{{ domain }}'], lower({{ column }}))
{%- endmacro %}
