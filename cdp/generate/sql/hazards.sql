{#- What churn was drawn from: a row a customer and week, as long as it was one. -#}
{% set weeks = (p.days + 6) // 7 -%}
select
    concat('{{ chunk }}-', n * 8 div {{ p.chunk }} % 8) as object,
    n * {{ weeks }}L + h.week as line_order,
    customer_id,
    sample_row,
    sample_churn = 'Yes' as sample_churned,
    h.week,
    timestamp_seconds({{ p.start }}L + h.week * 604800L) as week_starts_at,
    h.hazard,
    h.hazard_without_sample
from lives
lateral view explode(hazards) as h
