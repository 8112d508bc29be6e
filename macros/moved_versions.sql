{#-
    A query of where versions of a key no longer stand: for each version, one row at each other place
    at which a version of its key has stood. A place is a date, by which tables are partitioned, and
    whatever else rows are grouped by. A correction that names another place lands in another
    partition than the row that it corrects, which a merge by partition does not see; beside this row
    the old one is superseded where it stands.

    A pair of places is taken in once, when the later of the two has come. Also one row without a
    key, with the last batch that was looked at: few batches move anything.

    staged: the accepted rows. key: the column of the key. place: columns. day: the one of them by
    which tables are partitioned. Rows more than `moves_within_days` (variable `batches`) from those
    that came are not looked for; without it, all are.
-#}
{% macro moved_versions(staged, key, place, day) -%}
    {%- set has_arrived = in_new_batches() -%}
    {%- set came = key ~ ' in (select ' ~ key ~ ' from arrived)' if adds_rows() else 'true' -%}
    {%- set columns = place | join(', ') -%}
    {%- set placed = 'places.' ~ place | join(', places.') -%}
    {%- set nowhere = 'null as ' ~ place | join(', null as ') -%}
with staged as (

    select
        {{ key }},
        {{ columns }},
        xxhash64({{ columns }}) as place,
        emitted_at,
        delivered_on,
        _source_file,
        _source_row,
        _batch,
        {{ has_arrived }} as has_arrived
    from {{ staged }}
    where {{ near_new_dates(day) }}

),

arrived as (

    select * from staged
    where has_arrived

),

moved as (

    select {{ key }} from staged
    where {{ came }}
    group by {{ key }}
    having min(place) <> max(place)

),

versions as (

    select staged.*
    from staged
    left semi join moved on staged.{{ key }} = moved.{{ key }}

),

places as (

    select
        {{ key }},
        {{ columns }},
        place,
        min(delivered_on) as delivered_on,
        min(_batch) as _batch,
        bool_and(has_arrived) as is_new
    from versions
    group by {{ key }}, {{ columns }}, place

),

moved_away as (

    select
        places.{{ key }},
        {{ placed }},
        versions.emitted_at,
        greatest(versions.delivered_on, places.delivered_on) as delivered_on,
        versions._source_file,
        versions._source_row,
        versions._batch as _version_batch,
        greatest(versions._batch, places._batch) as _batch
    from versions
    inner join places
        on versions.{{ key }} = places.{{ key }} and versions.place <> places.place
    where versions.has_arrived or places.is_new

),

looked_at as (

    select max(_batch) as _batch from arrived

)

select * from moved_away
union all
select
    null as {{ key }},
    {{ nowhere }},
    null as emitted_at,
    null as delivered_on,
    null as _source_file,
    null as _source_row,
    null as _version_batch,
    _batch
from looked_at
where _batch is not null
{%- endmacro %}
