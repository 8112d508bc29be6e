"""A table as it is at one moment, read beside its slot: what changes are applied to."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg2
import pyarrow as pa
import pyarrow.csv
from psycopg2 import sql

from cdp.capture import slot
from cdp.capture.fit import Fit
from cdp.capture.origin import Origin
from cdp.capture.pgoutput import Relation
from cdp.capture.writer import Writer
from cdp.errors import CdpError
from cdp.landing.batch import Batch
from cdp.landing.ledger import Position
from cdp.landing.shape import INSTANT

if TYPE_CHECKING:
    from psycopg2.extensions import connection

ALL = sql.SQL("true")
BLOCK = 8 << 20  # bytes of rows that are turned into Parquet at a time


class StoppedError(Exception):
    """Capture was asked to end."""


def take(origin: Origin, writer: Writer, say: Callable[[str], None]) -> None:
    """Make the slot anew, and land the table as of it. Interrupted, it has done nothing.

    Raises CdpError when the table does not fit the source, StoppedError when an end is wanted.
    """
    slot.drop(origin)
    holder, snapshot, point = slot.make(origin)
    reader, taken_at = slot.seeing(origin, holder, snapshot)
    try:
        relation = origin.relation()
        found = origin.fit(relation)
        with Batch(writer.ledger, found.gained) as batch:
            position = Position(slot.identity(origin, point), slot.lsn_number(point), 0, True)
            rows = Rows(batch, found, position.lsn, taken_at, writer.ended)
            if writer.position:  # what was known before and is not in the snapshot is gone
                rows.tell_truncate()
            count = _copy(origin, relation, reader, rows)
            columns = [c.name for c in origin.source.columns] + list(found.gained)
            writer.land(batch, "snapshot", columns, position)
    finally:
        reader.close()
    for name, why in origin.unsent().items():
        say(f"{origin.source.full_name}: column {name} {why}, and is not captured")
    say(f"{origin.source.full_name}: a snapshot of {count} rows has landed, as of {point}")


def _copy(origin: Origin, relation: Relation, reader: "connection", rows: "Rows") -> int:
    """Copy the table out. Returns the number of rows."""
    try:
        copy_out(origin, relation, reader, rows)
    except psycopg2.errors.InsufficientPrivilege as error:
        if "row-level security" not in str(error):
            raise
        raise CdpError(
            f"row-level security hides rows of {origin.source.location} from the role",
            f"as a superuser of Postgres: alter role NAME bypassrls; then {origin.again}",
        ) from error
    return rows.count


def copy_out(
    origin: Origin,
    relation: Relation,
    reader: "connection",
    rows: "Rows",
    where: sql.Composable = ALL,
) -> None:
    """Write rows of the table, those of a condition, to where they gather."""
    query = sql.SQL(
        "copy (select {} from {}{} where {}) to stdout (format csv, force_quote *, encoding 'UTF8')"
    ).format(
        sql.SQL(", ").join(sql.Identifier(c.name) for c in relation.columns),
        origin.only,
        sql.Identifier(origin.schema, origin.table),
        where,
    )
    with reader.cursor() as cursor:
        cursor.copy_expert(query, rows)
    rows.flush()


class Rows:
    """What COPY writes to, a row a call; a block at a time goes to the batch."""

    def __init__(
        self, batch: Batch, found: Fit, lsn: int, taken_at: datetime, ended: threading.Event
    ) -> None:
        self.batch = batch
        self.fit = found
        self.lsn = lsn
        self.taken_at = taken_at
        self.ended = ended
        self.count = 0
        self._block: list[bytes] = []
        self._size = 0

    def write(self, row: bytes) -> int:
        self._block.append(row)
        self._size += len(row)
        if self._size >= BLOCK:
            self.flush()
        return len(row)

    def flush(self) -> None:
        if self.ended.is_set():
            raise StoppedError
        if not self._block:
            return
        # Every value is quoted, so that null, which is not, differs from an empty text.
        names = list(self.fit.names)
        try:
            table = pa.csv.read_csv(
                pa.BufferReader(b"".join(self._block)),
                pa.csv.ReadOptions(column_names=names, block_size=self._size + 1),
                pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise CdpError(
                f"the table holds text that is not UTF-8: {error}",
                "correct it at the source: its database should not be in SQL_ASCII",
            ) from error
        self._block, self._size = [], 0
        self.count += len(table)
        for name in self.fit.filled:
            moment = pa.scalar(self.taken_at.isoformat(), pa.string())
            table = table.append_column(name, pa.repeat(moment, len(table)))
        values = dict(zip(table.column_names, table.columns, strict=True))
        self._add(values, "r", len(table))

    def tell_deletes(self, keys: Sequence[tuple[str, ...]]) -> None:
        """Write that there is no row with these keys."""
        names = [self.fit.names[i] for i in self.fit.key]
        columns = zip(*keys, strict=True)
        table = pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})
        self._add(dict(zip(table.column_names, table.columns, strict=True)), "d", len(keys))

    def tell_truncate(self) -> None:
        # A place of its own, before the rows: nobody could order two changes of one place.
        self._add({}, "t", 1, number=-1)

    def _add(
        self, values: dict[str, pa.ChunkedArray], op: str, count: int, number: int = 0
    ) -> None:
        told = {
            "_op": pa.repeat(op, count),
            "_lsn": pa.repeat(pa.scalar(self.lsn, pa.int64()), count),
            "_committed_at": pa.repeat(pa.scalar(self.taken_at, INSTANT), count),
            "_source_row": pa.repeat(pa.scalar(number, pa.int64()), count),
        }
        self.batch.add(pa.table(values | told), self.batch.source.location)
