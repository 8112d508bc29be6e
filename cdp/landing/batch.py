"""A batch in the making: rows and rejects gather, are staged a part at a time, and land at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cdp.landing import shape
from cdp.landing.ledger import Entry, Input, Kind, Ledger, Staged

# The store takes part in one copy up to 5 GB; engines like files of a few hundred.
PART_BYTES = 256 << 20


@dataclass(frozen=True)
class Reject:
    """A row that cannot be landed: the line or record it was, its text, and why."""

    number: int
    text: str
    reason: str


class Batch:
    """Rows and rejects of one batch. A context: leaving it removes the scratch files.

    gained: columns beyond those that the source declares, as a capture may have.
    """

    def __init__(self, ledger: Ledger, gained: Sequence[str] = ()) -> None:
        self.ledger = ledger
        self.source = ledger.source
        self.landed_at = datetime.now(UTC)
        self.schema = shape.landing(self.source, gained)
        self.rows = 0
        self._scratch = TemporaryDirectory(prefix="cdp-land-")
        self._folder = Path(self._scratch.name)
        self._staged: list[Staged] = []
        self._entered = False
        self._part = self._folder / "rows.parquet"
        self._part_rows = 0
        self._writer: pq.ParquetWriter | None = None
        self._rejects: pq.ParquetWriter | None = None
        self.rejected = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for writer in (self._writer, self._rejects):
            if writer:
                writer.close()
        self._scratch.cleanup()
        # After a failure it may have been entered all the same; then what is staged is needed.
        if error is None and not self._entered:
            self.ledger.discard(staged.key for staged in self._staged)

    def add(
        self, table: pa.Table, source_file: str, effective_at: str | pa.Array | None = None
    ) -> None:
        """Add rows: the source's columns as text, any of the landing's own. What is lacking of
        these is filled: `_source_file`, `_delivered_at`, `_landed_at`, columns with a default;
        else it is null.

        effective_at: the moment of delivery, ISO 8601 in UTC, of all rows or of each; it also
            stands in for columns with a default. Of captured rows it is that of the commit.
        """
        if not len(table):
            return
        filled: dict[str, Any] = {"_source_file": source_file, "_landed_at": self._instant()}
        if "_committed_at" in table.column_names:
            table = table.append_column("_delivered_at", table["_committed_at"])
        elif effective_at is not None:
            filled["_delivered_at"] = effective_at
        columns = []
        defaults = {c.name for c in self.source.columns if c.default == "effective_at"}
        for field in self.schema:
            if field.name in filled and field.name not in table.column_names:
                column = _column(filled[field.name], len(table)).cast(field.type)
            elif field.name not in table.column_names:
                column = pa.nulls(len(table), field.type)
            else:
                column = table[field.name]
            if field.name in defaults and effective_at is not None:
                column = pc.coalesce(column, effective_at)
            columns.append(column)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._part, self.schema, compression="zstd")
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self.schema))
        self.rows += len(table)
        self._part_rows += len(table)
        if self._part.stat().st_size >= PART_BYTES:
            self._stage_part()

    def _stage_part(self) -> None:
        """Bring what was written to the store: a large batch must not fill the disk.

        Done again after the store has failed: what was written stays until it is staged.
        """
        if self._writer:
            self._writer.close()
            self._writer = None
        if self._part_rows:
            self._staged.append(self.ledger.stage(self._part, self._part_rows))
            self._part.unlink()
            self._part_rows = 0

    def _stage_rejects(self) -> None:
        if self._rejects:
            self._rejects.close()
            self._rejects = None
        if self.rejected and not any(s.zone == "quarantine" for s in self._staged):
            path = self._folder / "rejects.parquet"
            self._staged.append(self.ledger.stage(path, self.rejected, "quarantine"))

    def reject(self, rejects: Iterable[Reject], source_file: str) -> None:
        """Add rows for quarantine."""
        found = list(rejects)
        if not found:
            return
        table = pa.table(
            {
                "text": [r.text for r in found],
                "reason": [r.reason for r in found],
                "_source_file": [source_file] * len(found),
                "_source_row": [r.number for r in found],
                "_landed_at": pa.repeat(self._instant(), len(found)),
            },
            shape.QUARANTINE,
        )
        if self._rejects is None:
            path = self._folder / "rejects.parquet"
            self._rejects = pq.ParquetWriter(path, shape.QUARANTINE, compression="zstd")
        self._rejects.write_table(table)
        self.rejected += len(found)

    def land(
        self,
        number: int,
        kind: Kind,
        inputs: Sequence[Input],
        **more: Any,  # noqa: ANN401 - as Entry has them
    ) -> Entry | None:
        """Stage the batch, enter it under that number and publish it.

        more: an entry's columns, position, replaces.
        May be called again: after a failure, and under another number when it returned None, for
        this one is taken: another was quicker.
        """
        ledger = self.ledger
        self._stage_part()
        self._stage_rejects()
        parts = {staged: ledger.part(staged, number, self.landed_at) for staged in self._staged}
        entry = Entry(
            number=number,
            kind=kind,
            landed_at=self.landed_at.isoformat(),
            inputs=tuple(inputs),
            parts=tuple(p for staged, p in parts.items() if staged.zone == "landing"),
            rejects=tuple(p for staged, p in parts.items() if staged.zone == "quarantine"),
            **more,
        )
        if not ledger.enter(entry):
            return None
        self._entered = True
        ledger.publish(entry)
        return entry

    def _instant(self) -> pa.Scalar:
        return pa.scalar(self.landed_at, shape.INSTANT)


def _column(value: Any, rows: int) -> pa.Array:  # noqa: ANN401 - a value, or an array of them
    return value if isinstance(value, pa.Array) else pa.repeat(value, rows)
