with given as (

    select
        name,
        hex,
        decode(unhex(hex), 'UTF-8') as sign
    from {{ ref('characters') }}

)

select
    name,
    hex,
    {{ blank_to_null("concat(sign, 'k', sign)") }} as trimmed,
    {{ is_malformed_key("concat('k', sign, 'k')") }} as is_malformed
from given
