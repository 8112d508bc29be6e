{#-
    Whether the model has anything to take in, for macros/iceberg. Models that name neither sources
    nor dates always run, and so does every model in a backfill.
-#}
{% macro default__has_new_rows() -%}
    {{ return(not is_in_scope(model) or var('from_date', none) or is_behind(model)) }}
{%- endmacro %}
