{#- Each customer: a whole row of the real sample, drawn by hash, so what goes together stays. -#}
{% from 'macros.sql' import u, pick with context %}
with numbered as (

    select id as n from range({{ first }}, {{ last }}{{ tasks }})

),

placed as (

    select
        n,
        n >= {{ p.existing }} as is_new,
        (n * {{ step }}L + {{ p.number('place', places) }}L) % {{ places }}L as place,
        -- Who signs up is drawn among the sample's customers of at most six months.
        case
            when n >= {{ p.existing }} then -1 - {{ pick(young, 'row') }}
            else {{ pick(old, 'row') }}
        end as sample_no,
        {{ pick(100, 'region') }} as region_draw
    from numbered

),

sampled as (

    -- The young stand in it twice: sample_row is the row of the file that both were read from.
    select
        *,
        cast(if(
            sample_no < 0,
            get(array({{ young_rows }}), cast(-1 - sample_no as int)),
            sample_no
        ) as int) as sample_row
    from sample

)

select /*+ broadcast(sampled) */
    placed.n,
    placed.is_new,
    concat(
        lpad(cast(place div 11881376 as string), 4, '0'), '-',
        char(65 + place % 11881376 div 456976), char(65 + place % 456976 div 17576),
        char(65 + place % 17576 div 676), char(65 + place % 676 div 26), char(65 + place % 26)
    ) as customer_id,
    -- Shares of the regions, percent: 18, 9, 14, 8, 16, 10, 13, 12.
    case
        when region_draw < 18 then 0 when region_draw < 27 then 1 when region_draw < 41 then 2
        when region_draw < 49 then 3 when region_draw < 65 then 4 when region_draw < 75 then 5
        when region_draw < 88 then 6 else 7
    end as region_no,
    sampled.* except (sample_no)
from placed
inner join sampled on placed.sample_no = sampled.sample_no
