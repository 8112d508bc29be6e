"""What a table is made of, and what happens to it that the log of changes does not tell.

Postgres replicates rows. It does not tell which rows came or went with a partition, and when a
partition is truncated by itself, or `alter table` writes all rows anew. Each leaves a trace in the
catalog, which is compared with what was there at the snapshot.
"""

import json
from dataclasses import asdict, dataclass

from cdp.capture import slot
from cdp.capture.origin import Origin
from cdp.landing.ledger import Ledger, Position

# The tables that hold the rows: the leaves of a partitioned table, or the table itself. One that is
# attached has each column changed by that; one that was made as a partition has some from before it
# entered the tree, in the same transaction.
LEAVES = """
    with leaves as (
        select relid as oid from pg_partition_tree(%(oid)s) where isleaf
        union
        select %(oid)s::regclass
    )
    select
        c.oid::bigint,
        c.oid::regclass::text,
        c.relfilenode::bigint,
        c.xmin::text::bigint,
        c.relispartition,
        i.xmin = made.xmin and exists (
            select from pg_attribute as a
            where
                a.attrelid = c.oid
                and a.attnum > 0
                and a.xmin = i.xmin
                and a.cmin::text::bigint < i.cmin::text::bigint
        ),
        (
            select md5(string_agg(a.attnum || ' ' || a.xmin, ',' order by a.attnum))
            from pg_attribute as a
            where a.attrelid = c.oid and a.attnum > 0
        )
    from leaves
    join pg_class as c on c.oid = leaves.oid
    join pg_attribute as made on made.attrelid = c.oid and made.attname = 'tableoid'
    left join pg_inherits as i on i.inhrelid = c.oid
    where c.relkind = 'r'
"""


@dataclass(frozen=True)
class Leaf:
    """A table that holds rows.

    file: which file they are in. changed_by: the transaction that changed its entry last.
    made_so: whether it was made as the partition that it is. columns: a digest of when each was
    changed last.
    """

    name: str
    file: int
    changed_by: int
    is_partition: bool
    made_so: bool
    columns: str


Leaves = dict[int, Leaf]


def read(origin: Origin) -> Leaves:
    """The leaves of the table as they are now, by OID."""
    return {oid: Leaf(*rest) for oid, *rest in origin.ask(LEAVES, oid=origin.oid)}


def untold(before: Leaves, now: Leaves, table: str, truncates: set[int]) -> list[str]:
    """What happened to a table that no change tells.

    truncates: the transactions that truncated all of it, as changes told.
    """
    found = [
        f"partition {leaf.name} of {table} was detached or dropped: no change tells which rows "
        "went with it"
        for oid, leaf in before.items()
        if oid not in now
    ]
    for oid, leaf in now.items():
        was = before.get(oid)
        if was is None:
            if not leaf.made_so:
                found.append(
                    f"table {leaf.name} was attached to {table}: no change tells which rows it "
                    "brought"
                )
        elif leaf.file != was.file and leaf.columns != was.columns:
            found.append(
                f"alter table wrote the rows of {leaf.name} anew: no change tells what their "
                "values are now"
            )
        elif leaf.file != was.file and leaf.is_partition and leaf.changed_by not in truncates:
            found.append(
                f"partition {leaf.name} of {table} was truncated by itself, or written anew by "
                "vacuum full or cluster: no change tells which rows have gone"
            )
    return found


@dataclass(frozen=True)
class Known:
    """A table and the server that it is at, as the snapshot or a look since has found them."""

    system: int
    timeline: int
    leaves: Leaves

    @classmethod
    def parse(cls, body: bytes) -> "Known":
        found = json.loads(body)
        leaves = {int(oid): Leaf(**leaf) for oid, leaf in found["leaves"].items()}
        return cls(found["system"], found["timeline"], leaves)


class Watch:
    """Compares a table with what it was made of when its snapshot was taken, and its server with
    the one that it was at.

    truncates: the transactions that truncated all of it, as changes told since.
    """

    def __init__(self, origin: Origin, ledger: Ledger) -> None:
        self.truncates: set[int] = set()
        self._origin = origin
        self._ledger = ledger
        self._key = f"{ledger.prefix}table.json"
        self._known: Known | None = None

    def read(self) -> Known:
        """The table and its server as they are now."""
        return Known(*self._origin.server(), read(self._origin))

    def begin(self, known: Known) -> None:
        """Take the table to be what it was before its snapshot."""
        self.truncates.clear()
        self._keep(known)

    def check_server(self, position: Position) -> None:
        """Raise CdpError where the server may lack changes."""
        body = self._ledger.read(self._key)
        known = Known.parse(body) if body else self.read()
        if body is None:
            self._keep(known)
        self._known = known
        slot.check_server(self._origin, position, known.system, known.timeline)

    def look(self) -> list[str]:
        """What happened to the table that no change has told, as far as changes have been read. If
        that is nothing, the table is compared with what it is now from now on."""
        now = self.read()
        before = (self._known or now).leaves
        found = untold(before, now.leaves, self._origin.source.location, self.truncates)
        if not found and now != self._known:
            self._keep(now)
        return found

    def _keep(self, known: Known) -> None:
        self._ledger.write(self._key, json.dumps(asdict(known)).encode())
        self._known = known
