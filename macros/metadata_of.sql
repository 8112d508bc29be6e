{#-
    One of Iceberg's metadata tables of a table, as this run has it: Spark reads main there, whatever
    branch the session is on.

    relation: a table that runs write to. name: such as files.
-#}
{% macro metadata_of(relation, name) -%}
    {%- set branch = run_branch() -%}
    {{ return(
        relation ~ '.' ~ name ~ (" version as of '" ~ branch ~ "'" if branch != 'main' else '')
    ) }}
{%- endmacro %}
