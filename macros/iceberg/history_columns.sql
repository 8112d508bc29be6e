{#-
    The columns of a history, as `columns_of_query` has them: those of its log, and scd_id,
    valid_from and valid_to, which are of the type of the config `updated_at`.
-#}
{% macro history_columns(given) -%}
    {%- set moment = (given | selectattr('name', 'equalto', config.require('updated_at')) | first).dtype -%}
    {%- set columns = given | list -%}
    {%- for name, type in {
        'scd_id': 'string', 'valid_from': moment, 'valid_to': moment,
    }.items() -%}
        {%- do columns.append({'name': name, 'quoted': adapter.quote(name), 'dtype': type}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
