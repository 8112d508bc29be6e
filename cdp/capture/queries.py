"""What a capture asks the catalog of Postgres. `name`: of the publication and of the slot."""

TAKE = "select pg_try_advisory_lock(hashtextextended(%(name)s, 0))"
HOLDER = """
    select pid
    from pg_locks
    where
        locktype = 'advisory'
        and granted
        and (classid::bigint << 32 | objid::bigint) = hashtextextended(%(name)s, 0)
"""

TABLE = """
    select
        c.oid,
        c.relkind::text,
        c.relreplident::text,
        c.relpersistence::text,
        exists (select from pg_index as i where i.indrelid = c.oid and i.indisprimary)
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = %(schema)s and c.relname = %(table)s
"""
SERVER = """
    select
        (pg_control_system()).system_identifier,
        ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int
"""
CONFIRMED = """
    select (confirmed_flush_lsn - '0/0')::bigint
    from pg_replication_slots
    where slot_name = %(name)s
"""
ESTIMATE = """
    select coalesce(sum(c.reltuples), 0)
    from pg_class as c
    where
        c.oid = %(oid)s
        or c.oid in (select relid from pg_partition_tree(%(oid)s) where isleaf)
"""
# What the publication sends of a table; generated columns only where it can.
COLUMNS = """
    select
        a.attname,
        a.atttypid,
        c.relreplident = 'f' or coalesce(a.attnum = any(i.indkey), false)
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_publication_tables as p
        on p.schemaname = n.nspname and p.tablename = c.relname and p.pubname = %(name)s
    join pg_attribute as a on a.attrelid = c.oid and a.attname = any(p.attnames)
    left join pg_index as i
        on
            i.indrelid = c.oid
            and case c.relreplident
                when 'd' then i.indisprimary
                when 'i' then i.indisreplident
                else false
            end
    where c.oid = %(oid)s and a.attnum > 0 and not a.attisdropped
    order by a.attnum
"""
PUBLICATION = """
    select
        pubinsert and pubupdate and pubdelete and pubtruncate,
        pg_has_role(pubowner, 'member'),
        obj_description(oid, 'pg_publication')
    from pg_publication
    where pubname = %(name)s
"""
# Columns that the publication does not send, and why.
UNSENT = """
    select
        a.attname,
        case
            when a.attgenerated = 'v' then 'is generated when it is read'
            when a.attgenerated = 's' then 'is generated'
            else 'is not in the publication'
        end
    from pg_attribute as a
    where
        a.attrelid = %(oid)s
        and a.attnum > 0
        and not a.attisdropped
        and not exists (
            select from pg_publication_tables as p
            where
                p.pubname = %(name)s
                and p.schemaname = %(schema)s
                and p.tablename = %(table)s
                and a.attname = any(p.attnames)
        )
    order by a.attnum
"""
TYPES = """
    with recursive below as (
        select oid as asked, oid, typbasetype from pg_type where oid = any(%(oids)s::oid[])
        union all
        select below.asked, t.oid, t.typbasetype
        from below
        join pg_type as t on t.oid = below.typbasetype
    )
    select asked, format_type(oid, null) from below where typbasetype = 0
"""
