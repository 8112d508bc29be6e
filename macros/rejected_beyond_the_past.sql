{#-
    A query of the sources that had a larger share of their new rows rejected than in any of their
    last hundred batches of twenty rows or more. Three standard errors are allowed for chance, so
    that few rows alone are no change; a source without a past is not compared.

    relation: the accepted and rejected rows of each source and batch. known: by source, the last
    batch that is not new. max_increase: by how much the share may exceed the highest of the past.
-#}
{% macro rejected_beyond_the_past(relation, known, max_increase) -%}
    {%- set is_new = [] -%}
    {%- for source_name, batch in known.items() -%}
        {%- do is_new.append("source_name = '" ~ source_name ~ "' and batch > " ~ batch) -%}
    {%- endfor %}
    with batches as (

        select
            source_name,
            batch,
            accepted_rows + rejected_rows as row_total,
            rejected_rows,
            {{ any_of(is_new) }} as is_new
        from {{ relation }}

    ),

    recent as (

        select
            *,
            row_number() over (partition by source_name, is_new order by batch desc) as age
        from batches
        where row_total > 0

    ),

    counted as (

        select
            source_name,
            sum(if(is_new, row_total, 0)) as new_rows,
            sum(if(is_new, rejected_rows, 0)) as rejected_rows,
            max(if(not is_new and row_total >= 20, rejected_rows / row_total, null)) as past_share
        from recent
        where is_new or age <= 100
        group by source_name

    ),

    compared as (

        select
            *,
            rejected_rows / new_rows as rejected_share,
            sqrt(greatest(past_share * (1 - past_share), 1 / new_rows) / new_rows) as standard_error
        from counted
        where new_rows > 0 and past_share is not null

    )

    select *
    from compared
    where rejected_share > past_share + {{ max_increase }} + 3 * standard_error
{%- endmacro %}
