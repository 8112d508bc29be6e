{#-
    A number from 0 to 1 that is a pure function of the seed, the customer (column n), the stream's
    name and an ordinal. There is no rand() anywhere: parallelism and order cannot matter.
-#}
{%- macro u(stream, ordinal='0') -%}
    (shiftrightunsigned(
        xxhash64(cast({{ p.seed }} as bigint), n, '{{ stream }}', cast({{ ordinal }} as bigint)), 11
    ) * 1.1102230246251565e-16D)
{%- endmacro -%}

{#- A whole number from 0 to below - 1. -#}
{%- macro pick(below, stream, ordinal='0') -%}
    cast(floor({{ u(stream, ordinal) }} * {{ below }}) as bigint)
{%- endmacro -%}

{#- Life events of one kind: at most one in each 30 days, of that chance, in that hour of the day. -#}
{%- macro slots(kind, chance, hour) -%}
    transform(
        filter(sequence(0, {{ (p.days + 29) // 30 - 1 }}), m -> {{ u(kind, 'm') }} < {{ chance }}),
        m -> named_struct(
            'at', {{ p.start }}L
                + (30 * m + {{ pick(30, kind ~ '_day', 'm') }}) * 86400
                + {{ hour * 3600 }} + {{ pick(3600, kind ~ '_second', 'm') }},
            'kind', '{{ kind }}',
            'r', {{ u(kind ~ '_how', 'm') }}
        )
    )
{%- endmacro -%}

{#- The contract that a change of contract leads to. -#}
{%- macro contract_of(r) -%}
    case when {{ r }} < 0.25D then 'Month-to-month' when {{ r }} < 0.75D then 'One year'
        else 'Two year' end
{%- endmacro -%}

{#- The kind of dirt of a row, or null; every kind is as likely. -#}
{%- macro dirt(stream, ordinal) -%}
    {%- if p.dirt -%}
        case when {{ u(stream, ordinal) }} < {{ p.dirt }}D then element_at(
            array('{{ kinds | join("', '") }}'),
            1 + cast(floor({{ u(stream ~ '_kind', ordinal) }} * {{ kinds | length }}) as int)
        ) end
    {%- else -%}
        cast(null as string)
    {%- endif -%}
{%- endmacro -%}

{#- By how many seconds the clock of a region is off at a moment. -#}
{%- macro skew(region, at) -%}
    {%- if p.skews -%}
        case
            {% for s in p.skews -%}
                when {{ region }} = {{ s.region }} and {{ at }} >= {{ s.begins }}L
                    and {{ at }} < {{ s.ends }}L then {{ s.seconds }}L
            {% endfor -%}
            else 0L
        end
    {%- else -%}
        0L
    {%- endif -%}
{%- endmacro -%}

{#- A category as one of the source's systems spells it, where the dirt is of that kind. -#}
{%- macro variant(value, r) -%}
    case
        when not dirt <=> 'category_variant' then {{ value }}
        when {{ r }} < 0.34D then upper({{ value }})
        when {{ r }} < 0.67D then concat(' ', initcap({{ value }}))
        else substring({{ value }}, 1, 1)
    end
{%- endmacro -%}

{#- A number in JSON: as it is, or where `hit` says so with the dirt of the row. -#}
{%- macro number(value, hit, r) -%}
    case
        when not {{ hit }} or not dirt <=> 'blank_number' and not dirt <=> 'malformed_number'
            then coalesce(cast({{ value }} as string), 'null')
        when dirt = 'blank_number' then if({{ r }} < 0.5D, '""', 'null')
        when {{ r }} < 0.34D then '"12,5"'
        when {{ r }} < 0.67D then '"n/a"'
        else '"1O"'
    end
{%- endmacro -%}

{%- macro time(at) -%}
    date_format(timestamp_seconds({{ at }}), "yyyy-MM-dd'T'HH:mm:ss'Z'")
{%- endmacro -%}

{#- The text of a row whose key is the first field, with what its dirt makes of it. -#}
{%- macro line(key, id, rest, r) -%}
    case
        when dirt = 'garbage' then case
            when {{ r }} < 0.25D then '<html><body>502 Bad Gateway</body></html>'
            when {{ r }} < 0.5D then concat('["', {{ id }}, '", 1]')
            when {{ r }} < 0.75D then concat('{"{{ key }}": ', {{ id }}, ', oops}')
            else concat('{"{{ key }}":"', cast(unhex('C328FF') as string), '"}')
        end
        when dirt = 'truncated' then concat(
            '{"{{ key }}":"',
            substring({{ id }}, 1, 3 + cast(floor({{ r }} * (length({{ id }}) - 3)) as int))
        )
        when dirt = 'missing_key' and {{ r }} < 0.5D then concat('{', substring({{ rest }}, 2))
        when dirt = 'missing_key' then concat('{"{{ key }}":""', {{ rest }})
        else concat('{"{{ key }}":"', {{ id }}, '"', {{ rest }})
    end
{%- endmacro -%}

{#- Text in the words of staging: fiber_optic, month_to_month. -#}
{%- macro canonical(value) -%}
    trim(both '_' from regexp_replace(lower({{ value }}), '[^a-z0-9]+', '_'))
{%- endmacro -%}

{%- macro euros(cents) -%}
    cast(cast({{ cents }} as decimal(18, 0)) * 0.01BD as decimal(12, 2))
{%- endmacro -%}
