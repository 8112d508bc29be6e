"""The replication slot of a captured source: made, checked, read and dropped."""

import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection
from psycopg2.extras import LogicalReplicationConnection

from cdp.capture.origin import Origin
from cdp.capture.wire import Stream
from cdp.errors import CdpError
from cdp.landing.ledger import Position

WAIT = 15.0  # seconds for the server to notice that a reader has died

# From Postgres 17 on a slot can follow to the standby that is promoted.
SLOT = """
    select
        plugin,
        database = current_database(),
        active_pid,
        wal_status,
        coalesce((to_jsonb(s) ->> 'failover')::boolean, false)
    from pg_replication_slots as s
    where slot_name = %(name)s
"""


@dataclass(frozen=True)
class State:
    """A slot, as Postgres reports it. here: whether it is of this database. reader: a process.
    follows: whether standbys have it too.
    """

    plugin: str
    here: bool
    reader: int | None
    wal_status: str | None
    follows: bool


def lsn_text(lsn: int) -> str:
    """An LSN as Postgres writes it, `0/1A2B3C8`."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_number(text: str) -> int:
    high, _, low = text.partition("/")
    return int(high, 16) << 32 | int(low, 16)


def log_end(origin: Origin, *, mark: bool = False) -> int:
    """The LSN up to which the log is on disk.

    mark: write a message for nobody, so that all that was committed before is below the LSN, with
        synchronous_commit off too. Where that is not allowed it is left.
    """
    if mark:
        try:
            marked = origin.ask("select pg_logical_emit_message(true, 'cdp', '')::text")
            return lsn_number(marked[0][0])
        except (psycopg2.ProgrammingError, psycopg2.errors.ReadOnlySqlTransaction):
            pass
    return lsn_number(origin.ask("select pg_current_wal_flush_lsn()::text")[0][0])


def state(origin: Origin) -> State | None:
    found = origin.ask(SLOT)
    return State(*found[0]) if found else None


def check(origin: Origin, position: Position) -> None:
    """See that the slot can go on from a position. Raises CdpError when changes may be lost."""
    slot = state(origin)
    reason = ""
    if slot is None or position.slot.partition("@")[0] != origin.name:
        reason = f"slot {origin.name} is gone"
    elif slot.plugin != "pgoutput" or not slot.here:
        reason = f"slot {origin.name} is another's"
    elif slot.wal_status == "lost":
        reason = f"slot {origin.name} is lost: Postgres had to keep more log than it may"
    elif log_end(origin) < position.lsn:
        reason = "Postgres is at an earlier state than what has landed"
    if reason:
        since = lsn_text(position.lsn)
        raise CdpError(f"{reason}; changes since {since} may be lost", origin.again)
    origin.check_publication(position.slot)
    _wait_until_free(origin)


def check_server(origin: Origin, position: Position, system: int, timeline: int) -> None:
    """See that the server is the one that a position is of, or a standby of it that was promoted
    with the slot. Raises CdpError when changes may be lost.

    system, timeline: of the server when something landed last.
    """
    now = origin.server()
    if now == (system, timeline):
        return
    found = state(origin)
    since = lsn_text(position.lsn)
    if now[0] != system or not found or not found.follows:
        what = "a restored backup" if now[0] == system else "another Postgres"
        raise CdpError(
            f"this is a promoted standby or {what}, and slot {origin.name} may have been made anew "
            f"there; changes since {since} may be lost",
            origin.again,
        )
    if position.lsn >= branched_at(origin, timeline):
        raise CdpError(
            f"the standby that was promoted lacks changes that have landed, up to {since}",
            f"{origin.again}; with synchronized_standby_slots at the source it cannot happen again",
        )


def _wait_until_free(origin: Origin) -> None:
    """Until nobody reads it: that a reader was killed is noticed after a moment."""
    end = time.monotonic() + WAIT
    while (slot := state(origin)) and slot.reader:
        if time.monotonic() > end:
            raise CdpError(
                f"another program reads slot {origin.name}, pid {slot.reader} of Postgres",
                "end it: what it confirms is lost for this capture",
            )
        time.sleep(0.1)


def drop(origin: Origin) -> None:
    """Drop the slot, if it is there."""
    _wait_until_free(origin)
    if state(origin):
        origin.ask("select pg_drop_replication_slot(%(name)s)")


def make(origin: Origin) -> tuple[connection, str, str]:
    """Make the slot. Returns a connection, the snapshot that lasts as long as it, and the LSN from
    which on the slot has changes. The publication's comment becomes the slot's identity.
    """
    made = _make(origin, origin.name)
    origin.identify(identity(origin, made[2]))
    return made


def look(origin: Origin) -> tuple[connection, str, str]:
    """A connection, a snapshot that lasts as long as it, and the LSN that it is as of: all that was
    committed before is in it. The slot that tells it goes with the connection."""
    return _make(origin, f"{origin.name[:50]}_{uuid.uuid4().hex[:8]}", temporary=True)


def seeing(origin: Origin, holder: connection, snapshot: str) -> tuple[connection, datetime]:
    """A connection in a transaction that sees a snapshot, and when it began. What held the snapshot
    is closed."""
    try:
        reader = origin.reader()
        try:
            with reader.cursor() as cursor:
                cursor.execute("begin isolation level repeatable read, read only")
                cursor.execute("set transaction snapshot %s", (snapshot,))
                cursor.execute("select now()")
                (moment,) = cursor.fetchone() or (None,)
        except BaseException:
            reader.close()
            raise
        return reader, moment
    finally:
        holder.close()


def branched_at(origin: Origin, timeline: int) -> int:
    """The LSN at which the server left a timeline; 0 where it does not know."""
    with closing(replication(origin)) as opened, opened.cursor() as cursor:
        cursor.execute(f"TIMELINE_HISTORY {origin.server()[1]}")
        _, history = cursor.fetchone() or ("", "")
    text = history if isinstance(history, str) else bytes(history).decode()
    lines = (line.split() for line in text.splitlines())
    found = {int(line[0]): lsn_number(line[1]) for line in lines if len(line) > 1}
    return found.get(timeline, 0)


def _make(origin: Origin, slot: str, *, temporary: bool = False) -> tuple[connection, str, str]:
    kind = "TEMPORARY " if temporary else ""
    follows = ", FAILOVER true" if origin.version >= 170000 and not temporary else ""
    opened = replication(origin)
    with opened.cursor() as cursor:
        name = sql.Identifier(slot).as_string(opened)
        options = f"(SNAPSHOT 'export'{follows})"
        cursor.execute(f"CREATE_REPLICATION_SLOT {name} {kind}LOGICAL pgoutput {options}")
        _, point, snapshot, _ = cursor.fetchone() or ("", "", "", "")
    return opened, snapshot, point


def replication(origin: Origin) -> LogicalReplicationConnection:
    """A connection for commands of replication."""
    with _explained():
        opened: LogicalReplicationConnection = psycopg2.connect(
            origin.dsn, connection_factory=LogicalReplicationConnection, **origin.options
        )
    return opened


def identity(origin: Origin, point: str) -> str:
    """What distinguishes a slot from one that is made later under its name."""
    return f"{origin.name}@{point}"


def stream(origin: Origin) -> Stream:
    """Begin to read the slot, where it was confirmed last."""
    with _explained():
        return Stream(origin.dsn, origin.name, origin.name, **origin.options)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        text = " ".join(str(error).split())
        if "permission denied" in text or "must be superuser" in text:
            raise CdpError(
                f"the role may not replicate: {text}",
                "as a superuser of Postgres: alter role NAME replication",
            ) from error
        raise
