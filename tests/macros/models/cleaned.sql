with given as (

    -- In the seed blanks are underscores: dbt would read a blank as a null.
    select
        id,
        {{ blank_to_null("translate(colour, '_', ' ')") }} as colour,
        {{ blank_to_null("translate(amount, '_', ' ')") }} as amount,
        is_deleted,
        {{ canonical_map() }} as canonical_map
    from {{ ref('cleaned_given') }}

)

select
    given.id,
    given.colour,
    {{ canonical('colour', 'colour') }} as canonical_colour,
    {{ is_unmapped('colour', 'colour') }} as is_colour_unmapped,
    {{ is_not_castable('amount', 'decimal(10, 2)') }} as is_amount_not_a_number,
    nullif(
        array_join({{ reject_reasons(
            required=['colour', 'amount'],
            mapped={'colour': 'colour'},
            typed={'amount': 'decimal(10, 2)'},
            rules={'amount_negative': parsed('amount', 'decimal(10, 2)') ~ ' < 0'},
            exempt='is_deleted',
        ) }}, ' '),
        ''
    ) as reasons
from given
