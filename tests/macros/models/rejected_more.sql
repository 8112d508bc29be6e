{% set found = rejected_beyond_the_past(
    ref('rejected_more_given'),
    known={'many': 1, 'usual': 2, 'chance': 1, 'first': -1, 'small': 1, 'old': 101, 'half': 1},
    max_increase=0.05,
) %}

select
    source_name,
    new_rows,
    cast(rejected_share as decimal(3, 2)) as rejected_share
from ({{ found }})
