{#-
    Column comments, and the table's, where they differ from those that the table has: a comment is
    a commit of metadata, and most runs change none.
-#}
{% macro spark__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set wanted = model.columns if for_columns and config.persist_column_docs() else {} -%}
    {%- if wanted -%}
        {%- set standing = {} -%}
        {%- for row in run_query('describe table ' ~ relation) if not row[0].startswith('#') -%}
            {%- do standing.setdefault(row[0] | lower, row[2] or '') -%}
        {%- endfor -%}
        {%- set changed = {} -%}
        {%- for name, column in validate_doc_columns(relation, wanted, standing | list).items()
            if column.description and standing[name | lower] != column.description -%}
            {%- do changed.update({name: column}) -%}
        {%- endfor -%}
        {%- if changed -%}
            {%- do alter_column_comment(relation, changed) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
