{#-
    The branch that this run writes to and is audited on; `main` for a run that has none. `cdp build`
    names it by CDP_RUN_BRANCH, which is read while models run only: what is read while the project
    is parsed has dbt parse all of it again when it changes.
-#}
{% macro run_branch() -%}
    {{ return((env_var('CDP_RUN_BRANCH', '') if execute else '') or 'main') }}
{%- endmacro %}
