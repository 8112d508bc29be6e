{#-
    The name of a table: that of its model, or its alias, in lower case, with `_` for what is not a
    letter, a digit or `_`. Catalogs of Iceberg tell cases apart, Spark does not, and not every
    catalog takes capitals or dots.
-#}
{% macro spark__generate_alias_name(custom_alias_name, node) -%}
    {%- set version = '_v' ~ node.version if node.version and not custom_alias_name else '' -%}
    {%- set name = (custom_alias_name or node.name) | trim -%}
    {{ return(modules.re.sub('[^a-z0-9_]', '_', name | lower ~ version)) }}
{%- endmacro %}
