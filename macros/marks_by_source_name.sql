{#-
    A query of the highest batch of each source that a table has counted, of one with the columns
    source_name and batch.
-#}
{% macro marks_by_source_name(relation) -%}
    select source_name as part, max(batch) as mark from {{ relation }} group by source_name
{%- endmacro %}
