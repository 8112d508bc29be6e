{#-
    The change log as statements for psql: the initial load in inserts of 500 rows, then the changes
    of each day in commit order, those of one minute in one transaction.
-#}
{% set booleans = [
    'senior_citizen', 'partner', 'dependents', 'phone_service', 'paperless_billing', 'churn_label',
] -%}
{% set numbers = ['tenure_months', 'monthly_charges', 'total_charges'] -%}
{% set columns = [
    'customer_id', 'gender', 'senior_citizen', 'partner', 'dependents', 'tenure_months',
    'phone_service', 'multiple_lines', 'internet_service', 'online_security', 'online_backup',
    'device_protection', 'tech_support', 'streaming_tv', 'streaming_movies', 'contract_type',
    'paperless_billing', 'payment_method', 'monthly_charges', 'total_charges', 'churn_label',
    'event_timestamp', 'last_updated', 'region', 'product_line',
] -%}
{% set changing = [
    'tenure_months', 'internet_service', 'contract_type', 'monthly_charges', 'total_charges',
    'churn_label', 'event_timestamp', 'last_updated', 'region',
] -%}
{% macro literal(name) -%}
    {%- if name in booleans -%}
        coalesce(if({{ name }} in ('Yes', '1'), 'true', 'false'), 'null')
    {%- elif name in numbers -%}
        coalesce({{ name }}, 'null')
    {%- else -%}
        coalesce(concat('''', replace({{ name }}, '''', ''''''), ''''), 'null')
    {%- endif -%}
{%- endmacro -%}
{% macro row() -%}
    concat('(', {% for c in columns %}{{ literal(c) }}, {{ "', ', " if not loop.last }}{% endfor %}')')
{%- endmacro -%}
with filed as (

    select
        *,
        change_seq % {{ 2 ** bits }}L as n,
        {{ 'true' if initial else 'false' }} as is_initial,
        {% if initial -%}
            '0001-initial-{{ initial }}' as object
        {%- else -%}
            concat('0002-changes-', substring(committed_at, 1, 10)) as object
        {%- endif %}
    from changes

),

neighboured as (

    select
        *,
        lag(committed_at) over (partition by object order by change_seq) as committed_before,
        lead(committed_at) over (partition by object order by change_seq) as committed_after
    from filed

)

select
    object,
    false as redelivered,
    change_seq as line_order,
    cast(concat(
        case
            when not is_initial and not committed_at <=> committed_before then 'begin;\n'
            when is_initial and (committed_before is null or n % 500 = 0)
                then 'insert into public.customers ({{ columns | join(', ') }}) values\n'
            else ''
        end,
        case
            when is_initial then concat(
                {{ row() }},
                if(committed_after is null or n % 500 = 499, ';\n', ',\n')
            )
            when op = 'c' then concat(
                'insert into public.customers ({{ columns | join(', ') }}) values ',
                {{ row() }}, ';\n'
            )
            when op = 'd' then concat(
                'delete from public.customers where customer_id = ', {{ literal('customer_id') }},
                ';\n'
            )
            else concat(
                'update public.customers set ',
                {% for c in changing %}
                    '{{ c }} = ', {{ literal(c) }}, {{ "', '," if not loop.last }}
                {% endfor %}
                ' where customer_id = ', {{ literal('customer_id') }}, ';\n'
            )
        end,
        if(not is_initial and not committed_at <=> committed_after, 'commit;\n', '')
    ) as binary) as line
from neighboured
