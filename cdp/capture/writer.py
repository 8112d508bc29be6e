"""Lands the batches of a capture, each once, and waits for a store that is away."""

import threading
import time
from collections.abc import Callable, Sequence

from cdp import objects
from cdp.errors import CdpError
from cdp.landing.batch import Batch
from cdp.landing.ledger import Input, Kind, Ledger, Position


class Writer:
    """The ledger of one captured source, and how far it has come.

    position: of the last batch that was captured; None before the first.
    patience: seconds that a store may be away. ended: set when capture is asked to end.
    """

    def __init__(self, ledger: Ledger, patience: float, ended: threading.Event) -> None:
        self.ledger = ledger
        self.patience = patience
        self.ended = ended
        self.number = 0
        self.position: Position | None = None

    def start(self) -> None:
        """Complete what a killed writer left, and find the position. Files may have landed since.

        Raises CdpError when the store is away.
        """
        with objects.explained():
            self.number = number = self.ledger.settle()
            while number and self.position is None:
                entry = self.ledger.entry(number)
                self.position = entry.position if entry else None
                number -= 1

    def land(self, batch: Batch, kind: Kind, columns: Sequence[str], position: Position) -> None:
        """Land a batch. Raises CdpError when the store is away for too long, or when another
        capture has landed the same changes; then nothing is lost: the slot keeps them.
        """
        location = self.ledger.source.location
        inputs = [Input(name=location, received=batch.rows)]
        columns = tuple(columns)

        def attempt() -> bool:
            number = self.number + 1
            entry = batch.land(number, kind, inputs, columns=columns, position=position)
            if entry is None:
                return self._is_ours(position)
            self.number = entry.number
            return True

        while not self._patiently(attempt):
            pass
        self.position = position

    def _is_ours(self, position: Position) -> bool:
        """The number was taken: by a file, or by this batch, whose answer was lost.

        Two batches from one position up to another are of the same changes.
        """
        for entry in self.ledger.entries(self.number):
            if entry.position and entry.position != position:
                raise CdpError(
                    f"another capture of {self.ledger.source.full_name} has landed changes",
                    "see that only one runs, then start it again: nothing is lost",
                )
            self.ledger.publish(entry)
            self.number = entry.number
            if entry.position:
                return True
        return False

    def _patiently(self, attempt: Callable[[], bool]) -> bool:
        until = time.monotonic() + self.patience
        pause = 0.25
        while True:
            try:
                return attempt()
            except objects.FAILURES as error:
                if time.monotonic() + pause > until or self.ended.is_set():
                    raise CdpError(
                        f"the object store does not take the changes: {error}",
                        "cdp status; cdp up; then capture again: the slot keeps what is missing",
                    ) from error
            except OSError as error:
                raise CdpError(
                    f"the changes could not be written: {error}",
                    "free disk space or check permissions, then capture again: nothing is lost",
                ) from error
            self.ended.wait(pause)
            pause = min(pause * 2, 10.0)
