{#-
    A query of what the columns of a table hold, by day, in one reading of it: a row a day, whose
    `columns` has an element for each column.

    Numbers are told by how many are 0, and the quantiles of the others: of a mixture of both, the
    quantiles jump when the shares change by little. Dates and moments are told by the quantiles of
    their age in days on that day, so that old rows which come again show. Texts and booleans are
    told by how often each of the twenty most frequent values is there; ids only by how many there
    are.

    Of a day with many rows so many are looked at, chosen by a hash, as sketches of all columns cost
    more than to read them: of 20,000 a share is right within 0.4 points. The rows are all counted.
    Days are left out that are too old to be compared with any that is still judged.

    relation: the table, of a model that documents the type of each column. day: a column or
    expression, the day that a row belongs to. where: which rows. marks: expressions whose highest
    value says how far the table was read, by name. sample: about how many rows of a day are looked
    at. latest: how many days are profiled, up to the newest of these rows.
-#}
{% macro column_profile(relation, day, where, marks, sample, latest) -%}
    {%- set quantiles = 'array(0.05D, 0.25D, 0.5D, 0.75D, 0.95D)' -%}
    {%- set elements = [] -%}
    {%- set node = node_of(relation) -%}
    {%- for column in (node.columns.values() if node else [])
        if not column.name.startswith('_') and column.name not in [day, 'built_at'] -%}
        {%- set type = column.data_type -%}
        {%- set quoted = adapter.quote(column.name) -%}
        {%- set value, kind, shares = none, none, 'null' -%}
        {%- if type in ['tinyint', 'smallint', 'int', 'bigint', 'float', 'double']
            or type.startswith('decimal') -%}
            {%- set kind, value = 'number', 'double(' ~ quoted ~ ')' -%}
        {%- elif type in ['date', 'timestamp'] -%}
            {%- set kind = 'age' -%}
            {%- set value = 'double(date_diff(' ~ day ~ ', date(' ~ quoted ~ ')))' -%}
        {%- elif type == 'boolean' -%}
            {%- set kind = 'category' -%}
            {%- set shares = "map('true', count_if(" ~ quoted ~ "), 'false', count_if(not "
                ~ quoted ~ '))' -%}
        {%- elif type == 'string' and not column.name.endswith('_id') -%}
            {%- set kind = 'category' -%}
            {%- set shares = 'map_from_entries(approx_top_k(' ~ quoted
                ~ ', 20) filter (where ' ~ quoted ~ ' is not null))' -%}
        {%- elif type == 'string' -%}
            {%- set kind = 'id' -%}
        {%- endif -%}
        {%- if kind -%}
            {%- do elements.append(
                "named_struct('column_name', '" ~ column.name ~ "', 'kind', '" ~ kind
                ~ "', 'value_count', count(" ~ quoted
                ~ "), 'distinct_count', approx_count_distinct(" ~ quoted
                ~ "), 'quantiles', "
                ~ ('approx_percentile(' ~ value ~ ', ' ~ quantiles ~ ', 1000)' if value
                    else 'cast(null as array<double>)')
                ~ (' filter (where ' ~ quoted ~ ' <> 0)' if kind == 'number' else '')
                ~ ", 'zero_count', "
                ~ ('count_if(' ~ quoted ~ ' = 0)' if kind == 'number'
                    else 'cast(null as bigint)')
                ~ ", 'value_counts', cast(" ~ shares ~ ' as map<string, bigint>))'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if execute and not elements -%}
        {{ exceptions.raise_compiler_error(
            relation ~ ' cannot be profiled: describe its columns, with data_type, in its YAML file'
        ) }}
    {%- endif -%}
    {%- set marked = [] -%}
    {%- for name, mark in marks.items() -%}
        {%- do marked.append('max(' ~ mark ~ ') as ' ~ name) -%}
    {%- endfor -%}
    {%- set names = node.columns.keys() | list if node else ['null'] -%}
    {%- set keys = ['_source_file', '_source_row'] if '_source_row' in names else names[:1] -%}
    with counted as (

        select
            {{ day }} as profiled_on,
            count(*) as row_total,
            {{ marked | join(', ') }}
        from {{ relation }}
        where {{ where }} and {{ day }} is not null
        group by {{ day }}

    ),

    days as (

        select * from counted
        where profiled_on > (select date_sub(max(profiled_on), {{ latest }}) from counted)

    )

    select /*+ broadcast(days) */
        days.profiled_on,
        days.row_total,
        count(*) as sampled_rows,
        {{ marks.keys() | join(', ') }},
        array({{ elements | join(', ') }}) as columns
    from {{ relation }}
    inner join days on {{ day }} = days.profiled_on
    where
        {{ where }}
        and pmod(xxhash64({{ keys | join(', ') }}), days.row_total) < {{ sample }}
    group by days.profiled_on, days.row_total, {{ marks.keys() | join(', ') }}
{%- endmacro %}
