"""The landing ledger: which batches of a source have landed, of what, each exactly once.

A batch is staged, entered and published, in this order; docs/ingestion.md says why that is enough.
Entries are objects numbered from 1 without a gap, each put with a condition that fails when the
number is taken: whoever enters a batch is the only one to.
"""

import io
import json
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from cdp import objects
from cdp.landing.source import Source
from cdp.settings import Settings

FOLD = 64  # entries whose inputs are folded into one object
READERS = 8

Kind = Literal["file", "objects", "snapshot", "changes", "replay", "repair"]


@dataclass(frozen=True)
class Input:
    """One file, object or stretch of a log, and what came of its rows.

    sha256: of its bytes; empty for a capture. etag: the store's, for objects of an inbox.
    effective_at: the moment whose state a file holds, ISO 8601 in UTC.
    """

    name: str
    sha256: str = ""
    etag: str = ""
    received: int = 0
    quarantined: int = 0
    effective_at: str = ""


Zone = Literal["landing", "quarantine"]


@dataclass(frozen=True)
class Staged:
    """A Parquet object of a batch that has no number yet: where nobody reads it."""

    zone: Zone
    key: str
    rows: int


@dataclass(frozen=True)
class Part:
    """A Parquet object of a batch: its rows, and its key while staged and when published."""

    staged: str
    key: str
    rows: int


@dataclass(frozen=True)
class Position:
    """How far a capture has come in a slot: the last change that landed.

    lsn: of the change's commit. change: its number in the transaction. complete: whether that was
    the transaction's last.
    """

    slot: str
    lsn: int
    change: int
    complete: bool


@dataclass(frozen=True)
class Entry:
    """A batch. landed_at: ISO 8601 in UTC. columns: what a captured table had, in its order.

    replaces: the batch whose objects were lost, and whose input has been landed again.
    """

    number: int
    kind: Kind
    landed_at: str
    inputs: tuple[Input, ...]
    parts: tuple[Part, ...]
    rejects: tuple[Part, ...] = ()
    columns: tuple[str, ...] = ()
    position: Position | None = None
    replaces: int = 0

    @property
    def received(self) -> int:
        return sum(i.received for i in self.inputs)

    @property
    def quarantined(self) -> int:
        return sum(i.quarantined for i in self.inputs)

    @property
    def landed(self) -> int:
        return sum(p.rows for p in self.parts)

    @classmethod
    def parse(cls, body: bytes) -> "Entry":
        found: dict[str, Any] = json.loads(body)
        found["inputs"] = tuple(Input(**i) for i in found["inputs"])
        found["parts"] = tuple(Part(**p) for p in found["parts"])
        found["rejects"] = tuple(Part(**p) for p in found["rejects"])
        found["columns"] = tuple(found["columns"])
        if found["position"]:
            found["position"] = Position(**found["position"])
        return cls(**found)


@dataclass
class Known:
    """The inputs that the ledger holds up to an entry: by content, and by name and ETag."""

    number: int = 0
    inputs: list[tuple[int, Input]] = field(default_factory=list)
    by_content: dict[str, tuple[int, Input]] = field(default_factory=dict)
    by_tag: set[tuple[str, str]] = field(default_factory=set)

    def add(self, number: int, inputs: Iterable[Input]) -> None:
        """Add the inputs of an entry."""
        self.number = number
        for each in inputs:
            self.inputs.append((number, each))
            # The last that had rows: a duplicate has none, and one landed again is in its place.
            if each.received or each.sha256 not in self.by_content:
                self.by_content[each.sha256] = (number, each)
            if each.etag:
                self.by_tag.add((each.name, each.etag))


class Ledger:
    """The ledger of one source. Methods raise boto3's errors when the store is away."""

    def __init__(self, source: Source, settings: Settings) -> None:
        self.source = source
        self.bucket = settings.bucket
        self.s3 = objects.client(settings)
        self.prefix = f"ledger/{source.source}/{source.table}/"

    def _key(self, number: int) -> str:
        return f"{self.prefix}{number:012d}.json"

    def read(self, key: str) -> bytes | None:
        """An object of the bucket, None when it is not there."""
        try:
            body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if objects.is_error(error, "NoSuchKey", "404"):
                return None
            raise
        return body

    def write(self, key: str, body: bytes) -> None:
        """Put an object, in place of the one that was there."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def exists(self, key: str) -> bool:
        """Whether the bucket has an object."""
        try:
            self.s3.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if objects.is_error(error, "404", "NoSuchKey"):
                return False
            raise
        return True

    def entry(self, number: int) -> Entry | None:
        body = self.read(self._key(number))
        return Entry.parse(body) if body else None

    def length(self, at_least: int = 0) -> int:
        """The number of the last entry. Numbers have no gap, so it is found by halving."""
        low, step = at_least, 1
        while self.exists(self._key(low + step)):
            low, step = low + step, step * 2
        high = low + step  # low is there, or 0; high is not
        while high - low > 1:
            middle = (low + high) // 2
            if self.exists(self._key(middle)):
                low = middle
            else:
                high = middle
        return low

    def last(self) -> Entry | None:
        number = self.length()
        return self.entry(number) if number else None

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The entries past a number, in order."""
        numbers = range(after + 1, self.length(after) + 1)
        with ThreadPoolExecutor(READERS) as pool:
            yield from (e for e in pool.map(self.entry, numbers) if e)

    def known(self) -> Known:
        """Every input that has landed; read from the newest fold and the entries past it."""
        known = Known()
        folds = list(objects.keys(self.s3, self.bucket, f"{self.prefix}folds/"))
        if folds and (body := self.read(folds[-1])):
            for row in pq.read_table(io.BytesIO(body)).to_pylist():
                known.add(row.pop("batch"), [Input(**row)])
            known.number = int(Path(folds[-1]).stem)
        self.catch_up(known)
        return known

    def catch_up(self, known: Known) -> None:
        """Bring what is known up to the last entry."""
        for entry in self.entries(known.number):
            known.add(entry.number, entry.inputs)

    def _fold(self, number: int) -> None:
        """Write the inputs up to an entry as one object; older folds go."""
        known = self.known()
        if known.number != number:  # others have entered batches since: one of them will
            return
        body = io.BytesIO()
        schema = pa.schema(
            [("batch", pa.int64())]
            + [(n, pa.string()) for n in ("name", "sha256", "etag")]
            + [(n, pa.int64()) for n in ("received", "quarantined")]
            + [("effective_at", pa.string())]
        )
        pq.write_table(
            pa.Table.from_pylist([{"batch": n} | asdict(i) for n, i in known.inputs], schema),
            body,
            compression="zstd",
        )
        prefix = f"{self.prefix}folds/"
        key = f"{prefix}{number:012d}.parquet"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.getvalue())
        for old in [k for k in objects.keys(self.s3, self.bucket, prefix) if k < key]:
            self.s3.delete_object(Bucket=self.bucket, Key=old)

    def stage(self, path: Path, rows: int, zone: Zone = "landing") -> Staged:
        """Upload a Parquet file to where nobody reads."""
        name = f"{zone}-{uuid.uuid4().hex[:16]}.parquet"
        staged = Staged(zone, f"staged/{self.source.source}/{self.source.table}/{name}", rows)
        self.s3.upload_file(str(path), self.bucket, staged.key)
        return staged

    def part(self, staged: Staged, number: int, landed_at: datetime) -> Part:
        """What is staged as part of a batch. Its key names the batch: `cdp load` reads it there."""
        home = f"{staged.zone}/{self.source.source}/{self.source.table}/dt={landed_at.date()}"
        unique = staged.key.rpartition("-")[2]
        return Part(staged.key, f"{home}/{number:012d}-{unique}", staged.rows)

    def enter(self, entry: Entry) -> bool:
        """Enter a batch under its number. Returns whether it was free; if not, nothing is done."""
        body = json.dumps(asdict(entry)).encode()
        try:
            self.s3.put_object(
                Bucket=self.bucket, Key=self._key(entry.number), Body=body, IfNoneMatch="*"
            )
        except ClientError as error:
            if not objects.is_error(error, "PreconditionFailed", "412"):
                raise
            # A put that was repeated after a lost answer meets itself.
            return self.read(self._key(entry.number)) == body
        return True

    def publish(self, entry: Entry) -> None:
        """Copy what is staged to its keys. Done again, by anybody, it completes what is missing.

        Quarantine comes first, so that a landed object's rejects are always there.
        """
        for part in (*entry.rejects, *entry.parts):
            if self.exists(part.key):
                continue
            try:
                self.s3.copy_object(
                    Bucket=self.bucket,
                    Key=part.key,
                    CopySource={"Bucket": self.bucket, "Key": part.staged},
                )
            except ClientError as error:
                # Gone from both: published before, by another or long ago, and moved away since.
                if not objects.is_error(error, "NoSuchKey", "404"):
                    raise
        self.discard(part.staged for part in (*entry.rejects, *entry.parts))
        if entry.kind in {"file", "objects"} and entry.number % FOLD == 0:
            self._fold(entry.number)

    def settle(self) -> int:
        """Publish the last entry, in case its writer died. Returns its number, 0 without any.

        Called before each `enter`, it leaves only the last entry to be unpublished.
        """
        last = self.last()
        if last is None:
            return 0
        self.publish(last)
        return last.number

    def is_there(self, number: int) -> bool:
        """Whether any object of an entry is still in the landing zone."""
        entry = self.entry(number)
        return entry is not None and any(self.exists(p.key) for p in entry.parts)

    def discard(self, keys: Iterable[str]) -> None:
        """Remove staged objects."""
        for key in keys:
            self.s3.delete_object(Bucket=self.bucket, Key=key)
