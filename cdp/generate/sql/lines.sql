{#-
    The lines as they arrive, each in its object: by the moment of arrival, which is the true one
    whatever the source's clock says, 30 seconds after the source has told, or up to 3 days late.
-#}
{% from 'macros.sql' import u with context %}
with arriving as (

    select
        log, n, id, version, dirt, line,
        xxhash64({{ p.seed }}L, log, id, version) as tie,
        emitted + 30 + if(dirt <=> 'late', 3600 + pmod(
            xxhash64({{ p.seed }}L, 'late', log, id, version), 255600
        ), 0L) as arrives,
        86400 div if(log = 'usage', {{ p.objects_per_day }}L, {{ [1, p.objects_per_day // 8] | max }}L)
            as slot
    from {{ view }}

),

copied as (

    select
        *,
        arrives + if(copy = 1 and dirt = 'duplicate_later', slot + pmod(
            xxhash64({{ p.seed }}L, 'again', log, id, version), 172800
        ), 0L) as moment
    from arriving
    lateral view explode(
        if(dirt in ('duplicate_same', 'duplicate_later'), array(0, 1), array(0))
    ) as copy

),

placed as (

    select
        *,
        concat(
            log, '/',
            date_format(timestamp_seconds(moment), 'yyyy-MM-dd'), '/',
            lpad(cast(moment % 86400 div slot as string), 4, '0'), '-{{ chunk }}'
        ) as object
    from copied

)

select
    object,
    {% if p.dirt -%}
        pmod(xxhash64({{ p.seed }}L, 'redelivered', object), 1000000) < {{ p.dirt * 1000000 }}
    {%- else -%}
        false
    {%- endif %} as redelivered,
    -- A row out of order stands anywhere in its object.
    if(dirt <=> 'out_of_order', moment - moment % slot + pmod(tie, slot), moment) as line_order,
    tie,
    copy,
    cast(concat(line, '\n') as binary) as line,
    log,
    coalesce(dirt, 'clean') as dirt
from placed
