{#-
    The columns of a relation, as dbt's own macros expect them. dbt-spark's gives rows of `describe`,
    in which a snapshot with hard_deletes=new_record finds no column, and writes nulls.
-#}
{% macro spark__get_columns_in_relation(relation) -%}
    {{ return(adapter.get_columns_in_relation(relation)) }}
{%- endmacro %}
