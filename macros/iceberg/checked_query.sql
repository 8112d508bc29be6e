{#-
    The model's query, once it is seen that what the model asks for can be had, and with what its
    contract forbids made an error of the query.

    config `contract: {enforced: true}`: the query has the columns of the model's YAML, each of its
    type, and no other; a column with the constraint `not_null` holds no null, in a run that writes
    one. Other constraints are not enforced, as dbt says of dbt-spark.
    config `grants`: refused. Who may read a table of Iceberg is the catalog's to say.
-#}
{% macro checked_query(sql) -%}
    {#- It may end with a comment, and goes into brackets. -#}
    {%- set sql = sql ~ '\n' -%}
    {%- if config.get('grants') -%}
        {%- do exceptions.raise_compiler_error(
            'grants of ' ~ model.name ~ ' cannot be given: a catalog of Iceberg has none that Spark '
            ~ 'could give. Remove them, and let the catalog say who may read the table'
        ) -%}
    {%- endif -%}
    {%- set contract = config.get('contract') -%}
    {%- if not (contract and contract.enforced) -%}
        {{ return(sql) }}
    {%- endif -%}
    {%- set given = spark_iceberg.columns_of_query(sql) -%}
    {%- do spark_iceberg.refuse_broken_contract(given) -%}
    {%- set selected, required = [], [] -%}
    {%- for column in given -%}
        {%- set constraints = spark_iceberg.contracted(column.name).get('constraints', []) -%}
        {%- if 'not_null' in constraints | map(attribute='type') | list -%}
            {%- do required.append(column.name) -%}
            {%- do selected.append(
                'coalesce(' ~ column.quoted ~ ', raise_error('
                ~ spark_iceberg.literal(column.name ~ ' of ' ~ model.name
                ~ ' is null, which its contract forbids') ~ ')) as ' ~ column.quoted
            ) -%}
        {%- else -%}
            {%- do selected.append(column.quoted) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return('select ' ~ selected | join(', ') ~ ' from (' ~ sql ~ ')' if required else sql) }}
{%- endmacro %}
