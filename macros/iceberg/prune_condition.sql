{#-
    The condition of the partitions that the new rows of a model belong to, for a merge to read
    these alone: Spark does not find out by itself. A project that knows them says so by a macro
    `default__prune_condition`; it must hold for each row of the query.

    column: the config `prune_by` of the model, with the alias of the table that is merged into.
-#}
{% macro prune_condition(column) -%}
    {{ return(adapter.dispatch('prune_condition', 'spark_iceberg')(column)) }}
{%- endmacro %}
