{#- raw = accepted + rejected: no delivered row is lost on the way, and none is made up. -#}
with counted as (

    select
        (select count(*) from {{ source('raw', 'crm_customers') }}) as raw_rows,
        (select count(*) from {{ ref('stg_crm_customers') }}) as accepted_rows,
        (select count(*) from {{ ref('stg_crm_customers__rejected') }}) as rejected_rows

)

select *
from counted
where raw_rows <> accepted_rows + rejected_rows
