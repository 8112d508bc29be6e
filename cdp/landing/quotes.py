"""Finds what the CSV reader would guess at: text after a quote that closes a value, and an escape
before what needs none.

RFC 4180 has a separator or a line's end after a value in quotes. The reader takes whatever follows
into the value, up to the next quote: lines in between, and their rows, would be gone without a
word. Of an escape it drops the mark, so `\\N` would become `N`.
"""

from pathlib import Path

import numpy as np

from cdp.errors import CdpError
from cdp.landing.dialect import Dialect

LF, CR = b"\n\r"
BOM = b"\xef\xbb\xbf"


class Quotes:
    """Looks at the quotes and escapes of a file, piece by piece."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self._path = path
        self._quote = ord(dialect.quote) if dialect.quote else None
        self._escape = ord(dialect.escape) if dialect.escape else None
        self._ends = {ord(dialect.delimiter), LF, CR}
        self._marks = bytes(m for m in (self._quote, self._escape) if m is not None)
        self._may_be_escaped = {*self._marks, ord(dialect.delimiter)}
        self._inside = False
        # Marks at the end of a piece: what follows says what they are.
        self._held = b""
        self._before = LF
        self._line = 1

    def feed(self, piece: bytes) -> None:
        """Look at the next piece. Raises CdpError for what the dialect does not allow."""
        if self._before == LF and self._line == 1 and piece.startswith(BOM):
            piece = piece[len(BOM) :]
        if not self._marks:
            return
        data = self._held + piece
        rest = data.rstrip(self._marks)
        self._held, data = data[len(rest) :], rest
        if not data:
            return
        codes = np.frombuffer(data, np.uint8)
        places = np.flatnonzero(np.isin(codes, list(self._marks)))
        ends_escaped = False
        if self._escape is not None or not self._are_in_place(codes, places):
            ends_escaped = self._look_at_each(data, places.tolist())
        elif len(places) % 2:
            self._inside = not self._inside
        self._before = 0 if ends_escaped else data[-1]
        self._line += data.count(b"\n")

    def _are_in_place(self, codes: np.ndarray, places: np.ndarray) -> bool:
        """Whether every other quote opens a value, or is half of a doubled one, and the rest close
        one or are the other half."""
        opens = places[int(self._inside) :: 2]
        closes = places[1 - int(self._inside) :: 2]
        before = np.where(opens > 0, codes[opens - 1], self._before)
        after = codes[closes + 1]
        ends = np.array([*self._ends, self._quote], np.uint8)
        return bool(np.isin(before, ends).all() and np.isin(after, ends).all())

    def _look_at_each(self, data: bytes, places: list[int]) -> bool:
        """As above, where some quote amid a value without quotes is a part of it, or where the
        dialect has an escape. Returns whether the last byte is escaped."""
        passed = -1
        for place in places:
            if place <= passed:
                continue
            following = data[place + 1]
            if data[place] == self._escape:
                if following not in self._may_be_escaped:
                    mark = chr(self._escape)
                    raise self._fault(
                        data,
                        place,
                        f"an escape ({mark}) before what needs none",
                        f"escape no more than {mark}, quotes and separators",
                    )
                passed = place + 1
            elif not self._inside:
                before = data[place - 1] if place else self._before
                # After an escaped separator, the value goes on.
                self._inside = before in self._ends and (not place or passed != place - 1)
            elif self._escape is None and following == self._quote:
                passed = place + 1
            elif following in self._ends:
                self._inside = False
            else:
                raise self._fault(
                    data,
                    place,
                    "text after a quote that closes a value",
                    'double a quote within a value ("")'
                    if self._escape is None
                    else f"put {chr(self._escape)} before a quote within a value",
                )
        return passed == len(data) - 1

    def _fault(self, data: bytes, place: int, what: str, fix: str) -> CdpError:
        line = self._line + data.count(b"\n", 0, place)
        return CdpError(f"{self._path} has {what}: line {line}", f"{fix}, and land it again")
