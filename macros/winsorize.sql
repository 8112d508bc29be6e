{#- A feature kept between its bounds, which stand in the map bounds_of; null stays null. -#}
{% macro winsorize(feature) -%}
    if(
        {{ feature }} is null,
        null,
        cast(
            greatest(
                least({{ feature }}, bounds_of['{{ feature }}'].upper_bound),
                bounds_of['{{ feature }}'].lower_bound
            ) as decimal(18, 4)
        )
    )
{%- endmacro %}
