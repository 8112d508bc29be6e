{#- Whether a batch is not reconciled yet. -#}
{% macro is_behind_mon_reconciliation(node) -%}
    {{ return(unreconciled_tables() | length > 0) }}
{%- endmacro %}
