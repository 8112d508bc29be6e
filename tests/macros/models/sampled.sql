{#- Of each day one row in so many is looked at; all are counted. -#}
with profile as (

    {{ column_profile(
        ref('many_a_day'), 'day', 'true', {'until_batch': 'batch'}, sample=100, latest=2
    ) }}

)

select
    profiled_on,
    row_total,
    until_batch,
    sampled_rows between 60 and 140 as is_about_a_hundred,
    columns[0].value_count = sampled_rows as are_all_values_of_the_sample
from profile
