{#-
    The rank of a row among those of its key, 1 for the one that counts: keep `= 1`.

    keys: the columns that name the thing.
    order_by: the columns that say which row is later, most telling first. All are descending with
        nulls last, so a row with a time beats a row without; end with columns that are unique
        among equals, or the choice is not the same at every run.
-#}
{% macro latest_by(keys, order_by) -%}
    row_number() over (
        partition by {{ keys | join(', ') }}
        order by {{ order_by | join(' desc nulls last, ') }} desc nulls last
    )
{%- endmacro %}
