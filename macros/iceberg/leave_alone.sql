{#- The end of a materialization that has nothing to do. -#}
{% macro leave_alone(target) -%}
    {%- call noop_statement('main', 'NOTHING NEW') -%}
        -- nothing new
    {%- endcall -%}
    {{ return({'relations': [target]}) }}
{%- endmacro %}
