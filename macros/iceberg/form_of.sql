{#-
    The regular expression of the texts that are of a type, blanks around them apart; none where the
    casts of Spark decide. type: of SQL.
-#}
{% macro form_of(type) -%}
    {%- set date = '[0-9]{4}-[0-9]{2}-[0-9]{2}' -%}
    {%- set time = '[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6}0*)?)?' -%}
    {%- set zone = ' ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)' -%}
    {%- set integer = '^[+-]?[0-9]+([.]0*)?$' -%}
    {{ return({
        'tinyint': integer,
        'smallint': integer,
        'int': integer,
        'bigint': integer,
        'decimal': '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$',
        'date': '^' ~ date ~ '$',
        'timestamp': '^' ~ date ~ '([ T]' ~ time ~ '(' ~ zone ~ ')?)?$',
    }.get(type.split('(')[0])) }}
{%- endmacro %}
