{#-
    Column comments in one statement and so in one commit. dbt-spark's own sends a statement a
    column: twenty commits, and as many metadata files, for a table of twenty columns.
-#}
{% macro spark__alter_column_comment(relation, column_dict) %}
    {%- set comments = [] -%}
    {%- for name, column in column_dict.items() if column.description -%}
        {%- set text = column.description | replace('\\', '\\\\') | replace("'", "\\'") -%}
        {%- do comments.append(adapter.quote(name) ~ " comment '" ~ text ~ "'") -%}
    {%- endfor -%}
    {%- if comments -%}
        {%- do run_query('alter table ' ~ relation ~ ' alter column ' ~ comments | join(', ')) -%}
    {%- endif -%}
{% endmacro %}
