{#-
    Whether this run adds to what the table holds: false at the first build and at a full refresh.
    dbt's own is_incremental() knows of incremental models only; a snapshot by a log of changes is
    one too.
-#}
{% macro takes_in_news() -%}
    {%- if not this -%}
        {#- A unit test has no table. -#}
        {{ return(false) }}
    {%- endif -%}
    {%- if model.resource_type == 'snapshot' -%}
        {{ return(execute and load_relation(this) is not none and not should_full_refresh()) }}
    {%- endif -%}
    {{ return(is_incremental()) }}
{%- endmacro %}
