{#-
    Have a table whose rows are replaced be partitioned, and have the properties, as its model says
    now. Files of before keep their partitions until they are gone with their snapshots.

    listed: the table, as `listed_table` has it.
-#}
{% macro settle_table(target, listed) -%}
    {%- set wanted = spark_iceberg.partitioned_by() -%}
    {%- set fields = wanted | map('lower') | map('replace', ' ', '') | list -%}
    {%- set standing = listed.partitions | map('lower') | map('replace', ' ', '') | list -%}
    {%- for field in listed.partitions if field | lower | replace(' ', '') not in fields -%}
        {%- do run_query('alter table ' ~ target ~ ' drop partition field ' ~ field) -%}
    {%- endfor -%}
    {%- for field in wanted if field | lower | replace(' ', '') not in standing -%}
        {%- do run_query('alter table ' ~ target ~ ' add partition field ' ~ field) -%}
    {%- endfor -%}
    {%- set changed = [] -%}
    {%- for name, value in (config.get('tblproperties') or {}).items() -%}
        {%- if listed.properties.get(name) != value | string -%}
            {%- do changed.append(
                spark_iceberg.literal(name) ~ ' = ' ~ spark_iceberg.literal(value | string)
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if changed -%}
        {%- do run_query(
            'alter table ' ~ target ~ ' set tblproperties (' ~ changed | join(', ') ~ ')'
        ) -%}
    {%- endif -%}
{%- endmacro %}
