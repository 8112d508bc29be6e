-- What Spark does while its archive of classes is made: the kinds of statement of a build, on a few
-- rows; cdp/stack/training.py adds a load. Statements end with a semicolon at the end of a line.
create namespace if not exists lake.raw;
create namespace if not exists lake.marts;
show namespaces in lake;
create table lake.raw.events (
    id string, customer_id string, kind string, charge string, happened_at string,
    _landed_at timestamp, _batch bigint, _landing_object string
) using iceberg partitioned by (days(_landed_at)) comment 'events'
tblproperties ('write.distribution-mode' = 'none');
insert into lake.raw.events
select
    concat('e', id), concat('c', id % 7), if(id % 2 = 0, 'call', 'data'),
    if(id % 11 = 0, 'dirty', cast(id / 3 as string)), string(timestamp_seconds(1700000000 + id)),
    current_timestamp(), 1, 'object'
from range(200);
alter table lake.raw.events create branch run_1;
set spark.wap.branch = run_1;
create or replace temporary view cleaned as
with typed as (
    select
        id, customer_id, lower(trim(kind)) as kind, _batch,
        try_cast(charge as decimal(12, 2)) as charge,
        try_to_timestamp(happened_at) as happened_at,
        map_from_arrays(array('a', 'b'), array(kind, charge)) as found,
        filter(array(if(try_cast(charge as double) is null, 'charge', null)), x -> x is not null)
            as reject_reasons
    from lake.raw.events
    where _batch > coalesce((select max(_batch) from lake.raw.events) - 1, 0)
),
latest as (
    select
        *,
        row_number() over (partition by id order by happened_at desc, _batch desc) as recency,
        lag(charge) over (partition by customer_id order by happened_at) as before,
        sum(charge) over (
            partition by customer_id order by happened_at
            rows between unbounded preceding and 1 preceding
        ) as running
    from typed
)
select * from latest where recency = 1;
create table lake.marts.events using iceberg partitioned by (happened_on)
tblproperties ('write.merge.mode' = 'merge-on-read') as
select
    id, customer_id, kind, charge, date(happened_at) as happened_on,
    size(reject_reasons) = 0 as is_accepted, sha2(concat_ws('|', id, kind), 256) as hash, _batch
from cleaned;
select * from lake.marts.events.refs;
select snapshot_id, summary from lake.marts.events.snapshots order by committed_at desc limit 1;
select partition, record_count from lake.marts.events.partitions;
merge into lake.marts.events as known
using (
    select * from lake.marts.events
    union all
    select concat(id, 'x'), customer_id, kind, charge, happened_on, is_accepted, hash, 2
    from lake.marts.events
) as found
on known.id = found.id and known.happened_on = found.happened_on
when matched and not known.charge <=> found.charge then update set *
when not matched then insert *;
set spark.sql.sources.partitionOverwriteMode = dynamic;
create or replace temporary view by_day as
with dates as (select explode(sequence(date '2023-11-14', date '2023-11-16')) as as_of_date)
select
    events.customer_id,
    dates.as_of_date,
    count(*) as events_7d,
    sum(charge) filter (where kind = 'call') as charges_7d,
    count_if(kind = 'data') as data_7d,
    count(distinct kind) as kinds,
    max_by(kind, charge) as dearest,
    collect_list(named_struct('kind', kind, 'charge', charge)) as listed
from lake.marts.events as events
inner join dates
    on events.happened_on between date_sub(dates.as_of_date, 6) and dates.as_of_date
left anti join (select 'nobody' as customer_id) as gone on events.customer_id = gone.customer_id
group by events.customer_id, dates.as_of_date;
create table lake.marts.features using iceberg partitioned by (as_of_date) as
select customer_id, as_of_date, events_7d, charges_7d from by_day where false;
alter table lake.marts.features write distributed by partition locally ordered by customer_id;
describe table extended lake.marts.features;
describe table lake.marts.features;
show tables in lake.marts;
insert overwrite lake.marts.features (customer_id, as_of_date, events_7d, charges_7d)
select customer_id, as_of_date, events_7d, charges_7d from by_day;
alter table lake.marts.features add columns (note string);
insert into lake.marts.features replace where true
select customer_id, as_of_date, events_7d, charges_7d, 'x' from lake.marts.features
except all select * from lake.marts.features where customer_id = 'none';
delete from lake.marts.features where customer_id = 'c1';
select
    as_of_date, approx_count_distinct(customer_id), approx_percentile(events_7d, array(0.5D), 1000),
    map_from_entries(approx_top_k(customer_id, 20) filter (where customer_id is not null))
from lake.marts.features group by as_of_date;
select sum(failed) from (
    select count(*) as failed from lake.marts.features where events_7d is null
    union all
    select count(*) from (
        select customer_id from lake.marts.features group by 1, as_of_date having count(*) > 1
    )
);
select customer_id, avg(charges_7d) over (partition by as_of_date) from lake.marts.features
where customer_id in (select customer_id from lake.marts.events where is_accepted)
order by customer_id limit 20;
cache lazy table kept as select * from by_day;
select count(*) from kept;
uncache table kept;
select * from lake.marts.events.files;
call lake.system.fast_forward('raw.events', 'main', 'run_1');
reset spark.wap.branch;
