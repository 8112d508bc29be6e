{#- Has the session write to, and read from, the branch of this run: a hook of each run's start. -#}
{% macro use_branch() -%}
    {%- set branch = run_branch() -%}
    {%- if branch != 'main' -%}
        set spark.wap.branch = {{ branch }}
    {%- endif -%}
{%- endmacro %}
