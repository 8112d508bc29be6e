"""Changes that have come and have not landed: gathered as messages, landed as one batch."""

import time
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cdp.capture.fit import Fit
from cdp.capture.pgoutput import Relation
from cdp.capture.rows import rows
from cdp.capture.writer import Writer
from cdp.landing.batch import Batch
from cdp.landing.ledger import Position
from cdp.landing.shape import INSTANT


@dataclass
class Pending:
    """Changes of a table as one relation has it.

    numbers: that of each message's last row in its transaction. spans: where in `messages` each
    transaction begins, with its LSN and when it was committed. complete: whether the last one has
    been seen to its end. end: the LSN to confirm when these have landed, 0 for none.
    """

    relation: Relation
    fit: Fit
    messages: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    size: int = 0
    complete: bool = False
    end: int = 0

    def position(self, slot: str) -> Position:
        """The last change, once these have landed."""
        return Position(slot, self.spans[-1][1], self.numbers[-1], self.complete)

    def land(self, writer: Writer, slot: str) -> tuple[int, int]:
        """Land them. Returns the number of rows, and of those whose key changed while a column was
        not sent. Raises CdpError as the writer does, MalformedError."""
        source = writer.ledger.source
        table, moved = self._table()
        with Batch(writer.ledger, self.fit.gained) as batch:
            batch.add(table, source.location)
            columns = [c.name for c in source.columns] + list(self.fit.gained)
            writer.land(batch, "changes", columns, self.position(slot))
        return len(table), moved

    def _table(self) -> tuple[pa.Table, int]:
        found = rows(self.messages, self.fit.names, self.fit.key)
        firsts, lsns, moments = (np.array(each, np.int64) for each in zip(*self.spans, strict=True))
        counts = np.diff(np.append(firsts, len(self.messages)))
        committed_at = pa.array(np.repeat(moments, counts)[found.message]).cast(INSTANT)
        columns = dict(zip(self.fit.names, found.columns, strict=True))
        for name in self.fit.filled:
            text = pc.strftime(committed_at, "%Y-%m-%dT%H:%M:%S+00:00")
            columns[name] = pc.if_else(pc.equal(found.ops, "t"), None, text)
        columns["_op"] = found.ops
        columns["_lsn"] = pa.array(np.repeat(lsns, counts)[found.message])
        columns["_committed_at"] = committed_at
        columns["_unchanged"] = found.unchanged
        numbers = np.array(self.numbers, np.int64)[found.message] - found.half
        columns["_source_row"] = pa.array(numbers)
        return pa.table(columns), found.moved
