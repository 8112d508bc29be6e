{#-
    The condition that a date is in the range of `cdp build --from D1 --to D2`; false without one.
    Such a run computes these partitions again, beside what new batches ask for.
-#}
{% macro in_backfill(column) -%}
    {%- if not var('from_date', none) -%}
        {{ return('false') }}
    {%- endif -%}
    {%- set dates = [] -%}
    {%- for name in ['from_date', 'to_date'] -%}
        {%- set text = var(name, var('from_date')) | string -%}
        {%- do dates.append(modules.datetime.date.fromisoformat(text).isoformat()) -%}
    {%- endfor -%}
    {{ return(column ~ " between date '" ~ dates | join("' and date '") ~ "'") }}
{%- endmacro %}
