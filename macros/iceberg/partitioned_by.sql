{#-
    What the model says that its table is partitioned by, as a list. A microbatch model that says
    nothing is partitioned by what a batch is: each replaces just its partition.
-#}
{% macro partitioned_by() -%}
    {%- set given = config.get('partition_by') -%}
    {%- if not given and config.get('incremental_strategy') == 'microbatch' -%}
        {%- set given = config.get('batch_size') ~ 's(' ~ config.get('event_time') ~ ')' -%}
    {%- endif -%}
    {{ return(spark_iceberg.list(given or [])) }}
{%- endmacro %}
