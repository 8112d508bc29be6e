"""Gathers the changes in a stream's messages, in the order of their commits."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from cdp.capture.fit import Fit
from cdp.capture.pending import Pending
from cdp.capture.pgoutput import (
    DELETE,
    INSERT,
    NEW,
    UPDATE,
    Begin,
    Commit,
    MalformedError,
    Relation,
    Truncate,
    decode,
)
from cdp.landing.ledger import Position

NEVER = 1 << 62


@dataclass(frozen=True)
class Options:
    """once: end when all that was committed at the start has landed. resnapshot: begin anew.

    flush: seconds that changes are gathered for. patience: seconds that Postgres or the store may
    be away. rows, size: of a batch at most, in changes and in bytes as they are sent.
    """

    once: bool = False
    resnapshot: bool = False
    flush: float = 5.0
    patience: float = 300.0
    rows: int = 100_000
    size: int = 64 << 20


@dataclass(frozen=True)
class Acts:
    """What a gatherer has done for it.

    submit: has changes landed. judge: fits a relation; raises CdpError with all before landed.
    end: a transaction is whole, up to that LSN, and nothing of it is still gathered.
    truncated: a transaction, by its number, truncates the table.
    """

    submit: Callable[[Pending], None]
    judge: Callable[[Relation], Fit]
    end: Callable[[int], None]
    truncated: Callable[[int], None]


class Gatherer:
    """The changes of one table from one stream.

    oid: of the table. resume: what had landed before. until: the LSN of a commit to end before.
    pending: changes that have not been submitted. transaction: the one that is open.
    """

    def __init__(
        self, oid: int, resume: Position | None, until: int | None, options: Options, acts: Acts
    ) -> None:
        self.oid = oid
        self.resume = resume
        self.until = NEVER if until is None else until
        self.options = options
        self.acts = acts
        self.pending: Pending | None = None
        self.transaction: Begin | None = None
        self.reached = False
        self._relation: Relation | None = None
        self._fit: Fit | None = None
        self._number = self._skip = 0

    def take(self, messages: list[bytes]) -> None:
        """Gather the changes in messages. Raises CdpError, with all before landed, when the table
        has become one that does not fit; MalformedError."""
        number, skip, oid = self._number, self._skip, struct.pack(">I", self.oid)
        for message in messages:
            kind = message[0]
            if kind in (INSERT, UPDATE, DELETE):
                if message[1:5] != oid:
                    continue
                # Two for an old row, written or not: the numbers depend on the log alone.
                number += 2 if kind == UPDATE and message[5] != NEW else 1
                if number > skip:
                    self._add(message, number)
                continue
            found = decode(message)
            if isinstance(found, Begin):
                if found.lsn >= self.until:
                    self.reached = True
                    return
                self.transaction = found
                number, skip = 0, self._landed_of(found.lsn)
            elif isinstance(found, Commit):
                self._end_transaction(found.end)
            elif isinstance(found, Relation):
                if found.oid == self.oid and found != self._relation:
                    self._relation, self._fit = found, None
            elif isinstance(found, Truncate) and self.oid in found.oids:
                number += 1
                if self.transaction:
                    self.acts.truncated(self.transaction.xid)
                if number > skip:
                    self._add(message, number)
        self._number, self._skip = number, skip

    def submit(self) -> None:
        """Have landed what is gathered."""
        pending, self.pending = self.pending, None
        if pending:
            self.acts.submit(pending)

    def _landed_of(self, lsn: int) -> int:
        """How many changes of a transaction landed before this stream began."""
        if self.resume is None or lsn > self.resume.lsn:
            return 0
        return self.resume.change if lsn == self.resume.lsn else NEVER

    def _add(self, message: bytes, number: int) -> None:
        pending, begin = self.pending, self.transaction
        if pending is None or self._fit is None:
            pending = self._begin()
        if begin is None:
            raise MalformedError("a change outside of a transaction")
        if not pending.spans or pending.spans[-1][1] != begin.lsn:
            pending.spans.append((len(pending.messages), begin.lsn, begin.committed_at))
            pending.complete = False
        pending.messages.append(message)
        pending.numbers.append(number)
        pending.size += len(message)
        if len(pending.messages) >= self.options.rows or pending.size >= self.options.size:
            self.submit()

    def _begin(self) -> Pending:
        """Where the next change goes. A relation is judged at its first change that has not landed:
        one of before may not fit any more, and need not."""
        if self._relation is None:
            raise MalformedError("a change of a table that was not described")
        if self._fit is None:
            self.submit()
            self._fit = self.acts.judge(self._relation)
        self.pending = Pending(self._relation, self._fit)
        return self.pending

    def _end_transaction(self, end: int) -> None:
        self.transaction = None
        if self.pending:
            self.pending.complete, self.pending.end = True, end
        else:
            self.acts.end(end)
