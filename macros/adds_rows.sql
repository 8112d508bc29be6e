{#-
    Whether this run adds to what the model's table holds: false at the first build and at a full
    refresh. It is dbt's is_incremental(), by the scope of the run, for snapshots of a log too.
-#}
{% macro adds_rows() -%}
    {{ return(has_marks(model.unique_id)) }}
{%- endmacro %}
