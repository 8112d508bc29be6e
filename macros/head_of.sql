{#- The snapshot that this run has of a table, as a query of one value; null for an empty table. -#}
{% macro head_of(relation) -%}
    {{ return(
        '(select snapshot_id from ' ~ relation ~ ".refs where name = '" ~ run_branch() ~ "')"
    ) }}
{%- endmacro %}
