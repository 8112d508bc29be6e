"""The replication slots of the captures: how far behind they are, and what log is kept for them.

Postgres keeps its write-ahead log until each slot's reader has confirmed it. A slot that is not
read so fills a disk, or, beyond `max_slot_wal_keep_size`, is lost.
"""

import shutil
from dataclasses import dataclass

import psycopg2

from cdp.postgres import connect
from cdp.settings import Settings
from cdp.stack import postgres

PREFIX = "cdp_"
GB = 1e9
LEAST_FREE = 2 * GB

# As JSON, since the column `inactive_since` is there from Postgres 17 on.
QUERY = """
    select
        slot.slot_name,
        slot.active,
        slot.wal_status,
        slot.safe_wal_size,
        slot.lag_bytes,
        case
            when slot.lag_bytes = 0 then 0
            when slot.active then extract(epoch from reader.flush_lag)::double precision
            else extract(
                epoch from now() - (slot.as_json ->> 'inactive_since')::timestamptz
            )::double precision
        end as lag_seconds,
        slot.retained_bytes
    from (
        select
            each.*,
            to_jsonb(each) as as_json,
            greatest(pg_current_wal_lsn() - each.confirmed_flush_lsn, 0)::bigint as lag_bytes,
            greatest(pg_current_wal_lsn() - each.restart_lsn, 0)::bigint as retained_bytes
        from pg_replication_slots as each
        where starts_with(each.slot_name, %(prefix)s)
    ) as slot
    left join pg_stat_replication as reader on reader.pid = slot.active_pid
    order by slot.slot_name
"""


@dataclass(frozen=True)
class Slot:
    """A slot as Postgres reports it; None where it does not know.

    lag_bytes: log written since the position that the reader has confirmed.
    lag_seconds: how long the reader takes to confirm, or since when there is none.
    retained_bytes: log that is kept on disk for the slot.
    wal_status: reserved, extended, unreserved or lost.
    safe_wal_size: bytes that may still be written before the slot is in danger of being lost.
    """

    name: str
    active: bool
    wal_status: str | None
    safe_wal_size: int | None
    lag_bytes: int | None
    lag_seconds: float | None
    retained_bytes: int | None


def slots(settings: Settings) -> list[Slot]:
    """The slots of captures, by name; none when Postgres does not tell."""
    try:
        with connect(settings) as connection, connection.cursor() as cursor:
            cursor.execute(QUERY, {"prefix": PREFIX})
            return [Slot(*row) for row in cursor.fetchall()]
    except psycopg2.Error:
        return []


def warnings(found: list[Slot], settings: Settings) -> list[str]:
    """What needs attention, a line each, with what to do."""
    lines = [line for slot in found for line in _of_slot(slot, settings.capture_wal_warn)]
    if settings.local_postgres:
        lines += _of_disk(found, settings)
    return lines


def _of_slot(slot: Slot, limit: int) -> list[str]:
    drop = f"drop it if nobody captures that table: select pg_drop_replication_slot('{slot.name}')"
    read = f"run its `cdp capture`, or {drop}"
    if slot.wal_status == "lost":
        snapshot = "run `cdp capture SOURCE --resnapshot`"
        return [f"slot {slot.name} is lost, changes are missing: {snapshot}, or {drop}"]
    lines = []
    if slot.wal_status == "unreserved":
        lines.append(f"slot {slot.name} will be lost at the next checkpoint: at once {read}")
    if (slot.retained_bytes or 0) > limit:
        kept = f"{(slot.retained_bytes or 0) / GB:.3g} GB"
        lines.append(f"Postgres keeps {kept} of its log for slot {slot.name}: {read}")
    if slot.safe_wal_size is not None and slot.safe_wal_size < limit:
        lines.append(
            f"slot {slot.name} is lost after another {max(slot.safe_wal_size, 0) / GB:.3g} GB of "
            f"log: {read}; or raise max_slot_wal_keep_size"
        )
    return lines


def _of_disk(found: list[Slot], settings: Settings) -> list[str]:
    home = postgres.home(settings)
    free = shutil.disk_usage(home if home.exists() else settings.state_dir).free
    kept = max((slot.retained_bytes or 0 for slot in found), default=0)
    if free >= max(2 * kept, LEAST_FREE):
        return []
    told = f"{home} has {free / GB:.3g} GB of disk free, and {kept / GB:.3g} GB of log for slots"
    return [f"{told}: free some space, or have the slots read"]
