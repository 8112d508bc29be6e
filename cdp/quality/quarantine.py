"""`cdp quarantine`: what could not be used; listed, shown, and landed again.

Lines that could not land are with the landing zone; rows that landed and that staging could not use
are in its rejected tables. A line is to be corrected where it came from, and delivered again; a row
can be replayed, once what rejected it is mended.

A row that is replayed lands once more, in a batch of its own, with the file and number that it had.
So raw keeps each delivery, every batch is counted as any other, and the models take the rows in as
they take in all that is new: in the order of what they say, whenever they come. Whether a row was
replayed is known from the batches of that kind, so that it is done once.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cdp import lake, objects
from cdp.errors import CdpError
from cdp.landing import shape
from cdp.landing.batch import Batch
from cdp.landing.ledger import Input, Kind, Ledger, Part
from cdp.landing.source import Source
from cdp.publish.patience import patiently
from cdp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyarrow import fs
    from pyiceberg.table import Table

KIND: Kind = "replay"
# What identifies a row of a source, whichever batch it is in.
KEY = ("_source_file", "_source_row")


@dataclass(frozen=True)
class Rejected:
    """Rows of a batch that landing or staging rejected for a reason, and that were not replayed."""

    source: str
    batch: int
    stage: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Line:
    """A line of a delivery that could not land."""

    batch: int
    file: str
    row: int
    reason: str
    text: str


@dataclass
class Wanted:
    """Which rows: of one batch or of all, for one reason or for any."""

    batch: int | None = None
    reason: str | None = None

    def takes(self, row: dict[str, Any]) -> bool:
        return (self.batch is None or row["_batch"] == self.batch) and (
            self.reason is None or self.reason in row["reject_reasons"]
        )


@dataclass
class Quarantine:
    """The rejected rows of a source. It asks the catalog and the store, no engine."""

    source: Source
    settings: Settings
    _replayed: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.source, self.settings)
        self.catalog = lake.open_catalog(self.settings)
        self.table = f"staging.stg_{self.source.source}_{self.source.table}__rejected"

    def open(self, wanted: Wanted) -> list[dict[str, Any]]:
        """The rejected rows, as staging has them, that were not replayed since."""
        table = self._table(self.table)
        if table is None:
            return []
        found = table.scan().to_arrow().to_pylist()
        replayed = self._last_replays()
        return [
            row
            for row in found
            if wanted.takes(row) and replayed.get((row[KEY[0]], row[KEY[1]]), 0) <= row["_batch"]
        ]

    def _last_replays(self) -> dict[tuple[str, int], int]:
        """The last batch in which each row was replayed."""
        batches = [e.number for e in self.ledger.entries() if e.kind == KIND]
        found: dict[tuple[str, int], int] = {}
        for number in batches:
            for part in self._raw(number, KEY):
                for file, row in zip(*(part[name].to_pylist() for name in KEY), strict=True):
                    found[file, row] = number
        return found

    def _raw(self, batch: int, columns: tuple[str, ...] = ("*",)) -> "Iterator[pa.Table]":
        """The rows of a batch as they landed: from its objects, which are there before raw has
        them. Raises CdpError when they were expired."""
        entry = self.ledger.entry(batch)
        if entry is None:
            return
        for part in entry.parts:
            if not self.ledger.exists(part.key):
                raise CdpError(
                    f"batch {batch} of {self.source.full_name} is no longer in the landing zone",
                    "have it delivered again",
                )
            yield self._read(part, columns)

    def lines(self, wanted: Wanted) -> "Iterator[Line]":
        """The lines that could not land, by batch; of objects that were expired none."""
        for entry in self.ledger.entries():
            if wanted.batch not in {None, entry.number}:
                continue
            for part in entry.rejects:
                if not self.ledger.exists(part.key):
                    continue
                for row in self._read(part).to_pylist():
                    if wanted.reason in {None, row["reason"]}:
                        place = (row[KEY[0]], row[KEY[1]])
                        yield Line(entry.number, *place, row["reason"], row["text"])

    def _read(self, part: Part, columns: tuple[str, ...] = ("*",)) -> "pa.Table":
        import pyarrow.parquet as pq

        with self._store.open_input_file(f"{self.settings.bucket}/{part.key}") as file:
            return pq.read_table(file, columns=None if columns == ("*",) else list(columns))

    @cached_property
    def _store(self) -> "fs.S3FileSystem":
        from pyarrow import fs

        environment = self.settings.environment()
        return fs.S3FileSystem(
            endpoint_override=self.settings.store_url,
            access_key=environment["AWS_ACCESS_KEY_ID"],
            secret_key=environment["AWS_SECRET_ACCESS_KEY"],
            region=self.settings.s3_region,
        )

    def _table(self, name: str) -> "Table | None":
        from pyiceberg.exceptions import NoSuchTableError

        try:
            return self.catalog.load_table(name)
        except NoSuchTableError:
            return None

    def listed(self) -> list[Rejected]:
        """What is open, by batch, stage and reason."""
        counts = Counter((line.batch, "landing", line.reason) for line in self.lines(Wanted()))
        for row in self.open(Wanted()):
            counts.update((row["_batch"], "staging", reason) for reason in row["reject_reasons"])
        name = self.source.full_name
        return [Rejected(name, *key, rows) for key, rows in sorted(counts.items())]

    def unjudged(self) -> str:
        """The table that staging has not made yet, although something has landed; else empty."""
        return self.table if self.ledger.length() and not self._table(self.table) else ""

    def landed(self, rows: list[dict[str, Any]]) -> "Iterator[tuple[int, pa.Table]]":
        """For each batch the rows of it as they landed, of those given."""
        import pyarrow as pa

        by_batch: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            by_batch.setdefault(row["_batch"], []).append(row)
        for number, group in sorted(by_batch.items()):
            keys = pa.table(
                {
                    KEY[0]: pa.array([r[KEY[0]] for r in group], pa.string()),
                    KEY[1]: pa.array([r[KEY[1]] for r in group], pa.int64()),
                }
            )
            parts = [
                part.join(keys, list(KEY), join_type="left semi") for part in self._raw(number)
            ]
            yield number, pa.concat_tables(parts, promote_options="default")

    def replay(self, wanted: Wanted) -> int:
        """Land the open rows again, as one batch; how many. Done again, it does nothing.

        Raises CdpError when the rows are no longer in the landing zone, or the store is away.
        """
        with objects.explained():
            self.ledger.settle()
            rows = self.open(wanted)
            if not rows:
                return 0
            names = sorted(f"{r['_batch']} {r[KEY[0]]} {r[KEY[1]]}" for r in rows)
            digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
            while True:
                known = self.ledger.known()
                if digest in known.by_content:
                    # Another has replayed just these meanwhile.
                    return 0
                if self._land(rows, digest, known.number + 1):
                    return len(rows)

    def _land(self, rows: list[dict[str, Any]], digest: str, number: int) -> bool:
        standard = set(shape.landing(self.source).names)
        moment = datetime.now(UTC).isoformat()
        inputs = []
        with Batch(self.ledger, self._gained(standard)) as batch:
            for origin, table in self.landed(rows):
                # They are known from now on, and landed now.
                told = table.drop_columns(["_delivered_at", "_landed_at"])
                batch.add(told, "", moment)
                inputs.append(
                    Input(
                        f"replay of batch {origin}",
                        digest,
                        received=len(table),
                        effective_at=moment,
                    )
                )
            return batch.land(number, KIND, inputs) is not None

    def _gained(self, standard: set[str]) -> list[str]:
        """Columns that the raw table has beyond those of the source."""
        raw = patiently(lambda: self._table(self.source.raw_table))
        names = raw.schema().column_names if raw else []
        return [n for n in names if n not in standard and n not in {"_batch", "_landing_object"}]
