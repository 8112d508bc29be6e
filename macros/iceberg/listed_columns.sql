{#- The columns in what a `describe` statement lists, up to the sections that follow. -#}
{% macro listed_columns(rows) -%}
    {%- set found = [] -%}
    {%- set listing = namespace(goes_on=true) -%}
    {%- for row in rows -%}
        {%- set listing.goes_on = listing.goes_on and row[0] and not row[0].startswith('#') -%}
        {%- if listing.goes_on -%}
            {%- do found.append({
                'name': row[0],
                'quoted': adapter.quote(row[0]),
                'dtype': row[1],
                'comment': row[2] or '',
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
