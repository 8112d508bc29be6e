"""What a table is made of, and what happens to it that the log of changes does not tell.

Postgres replicates rows. It does not tell which rows came or went with a partition, and when a
partition is truncated by itself, or `alter table` writes all rows anew. Each leaves a trace in the
catalog, which is compared with what was there at the snapshot.
"""

import json
from dataclasses import asdict, dataclass

from cdp.capture.origin import Origin
from cdp.errors import CdpError
from cdp.landing.ledger import Ledger

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


class Watch:
    """Compares a table with what it was made of when its snapshot was taken.

    truncates: the transactions that truncated all of it, as changes told since.
    """

    def __init__(self, origin: Origin, ledger: Ledger) -> None:
        self.truncates: set[int] = set()
        self._origin = origin
        self._ledger = ledger
        self._key = f"{ledger.prefix}table.json"
        self._known: Leaves | None = None

    def begin(self, leaves: Leaves) -> None:
        """Take the table to be what it was before its snapshot."""
        self.truncates.clear()
        self._keep(leaves)

    def look(self) -> bool:
        """Whether all that happened to the table is told, as far as changes have been read. If so
        it is what the table is compared with from now on."""
        now = read(self._origin)
        if self._known is None:
            body = self._ledger.read(self._key)
            self._known = _parsed(body) if body else now
        if untold(self._known, now, self._origin.source.location, self.truncates):
            return False
        if now != self._known:
            self._keep(now)
        return True

    def refuse(self) -> None:
        """Raise CdpError for what no change tells, if there is anything."""
        now = read(self._origin)
        found = untold(self._known or now, now, self._origin.source.location, self.truncates)
        if found:
            raise CdpError(
                "; ".join(found),
                f"{self._origin.again}: a new snapshot, taken while the table is in use",
            )

    def _keep(self, leaves: Leaves) -> None:
        body = json.dumps({oid: asdict(leaf) for oid, leaf in leaves.items()})
        self._ledger.write(self._key, body.encode())
        self._known = leaves


def _parsed(body: bytes) -> Leaves:
    return {int(oid): Leaf(**leaf) for oid, leaf in json.loads(body).items()}
