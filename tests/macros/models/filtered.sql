{#- Of more than 500 dates the ends count. -#}
{% set many = [] %}
{% for days in range(501) -%}
    {% do many.append((modules.datetime.date(2024, 1, 3) + modules.datetime.timedelta(days)) | string) %}
{%- endfor %}
{% set first, last = in_dates('day', ['2024-01-01']), in_dates('day', ['2024-01-04']) %}
{% set conditions = {
    'listed': in_dates('day', ['2024-01-02', '2024-01-04']),
    'none is listed': in_dates('day', []),
    'many are listed': in_dates('day', many),
    'backfill': in_backfill('day'),
    'one of two holds': any_of([first, 'false', last]),
    'all': any_of([first, 'true']),
    'none': any_of(['false', 'false']),
    'in order': sequence(['day', 'id'], 'days') ~ " < struct(date '2024-01-03', 3)",
} %}

{% for name, condition in conditions.items() -%}
    select
        '{{ name }}' as condition,
        id
    from {{ ref('days') }} as days
    where {{ condition }}
    {{ 'union all' if not loop.last }}
{% endfor %}
