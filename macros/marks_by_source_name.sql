{#-
    A query of the batches of each source that a table has counted, of one with the columns
    source_name and batch.
-#}
{% macro marks_by_source_name(relation) -%}
    select source_name as part, batch as mark from {{ relation }}
{%- endmacro %}
