{{ config(schema=env_var('SOMEBODY_SCHEMA') ~ '_layer') }}

select
    '{{ generate_schema_name("marts", model) }}' as layer,
    '{{ generate_schema_name(none, model) }}' as without_layer
