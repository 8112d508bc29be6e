with given as (

    -- In the seed blanks are underscores: dbt would read a blank as a null.
    select
        id,
        {{ blank_to_null("translate(colour, '_', ' ')") }} as colour,
        {{ blank_to_null("translate(amount, '_', ' ')") }} as amount,
        is_deleted,
        {{ canonical_map() }} as canonical_map
    from {{ ref('cleaned_given') }}

),

valued as (

    select
        *,
        {{ values_of({'colour': 'colour'}, {'amount': 'decimal(10, 2)'}) }}
    from given

)

select
    id,
    colour,
    colour_value as canonical_colour,
    {{ has_no_value('colour') }} as is_colour_unmapped,
    {{ has_no_value('amount') }} as is_amount_not_a_number,
    nullif(
        array_join({{ reject_reasons(
            required=['colour', 'amount'],
            mapped={'colour': 'colour'},
            typed={'amount': 'decimal(10, 2)'},
            rules={'amount_negative': 'amount_value < 0'},
            exempt='is_deleted',
        ) }}, ' '),
        ''
    ) as reasons
from valued
