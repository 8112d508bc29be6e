"""Finds what the CSV reader would guess at: text after a quote that closes a value.

RFC 4180 has a separator or a line's end there. The reader takes whatever follows into the value, up
to the next quote: lines in between, and their rows, would be gone without a word.
"""

from pathlib import Path

import numpy as np

from cdp.errors import CdpError

QUOTE, COMMA, LF, CR = b'",\n\r'
BOM = b"\xef\xbb\xbf"


class Quotes:
    """Looks at the quotes of a file, piece by piece."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inside = False
        # Quotes at the end of a piece: what follows says what they are.
        self._held = b""
        self._before = LF
        self._line = 1

    def feed(self, piece: bytes) -> None:
        """Look at the next piece. Raises CdpError for text after a closing quote."""
        if self._before == LF and self._line == 1 and piece.startswith(BOM):
            piece = piece[len(BOM) :]
        data = self._held + piece
        rest = data.rstrip(b'"')
        self._held, data = data[len(rest) :], rest
        if not data:
            return
        codes = np.frombuffer(data, np.uint8)
        places = np.flatnonzero(codes == QUOTE)
        if not self._are_in_place(codes, places):
            self._look_at_each(data, places.tolist())
        elif len(places) % 2:
            self._inside = not self._inside
        self._before = data[-1]
        self._line += data.count(b"\n")

    def _are_in_place(self, codes: np.ndarray, places: np.ndarray) -> bool:
        """Whether every other quote opens a value, or is half of a doubled one, and the rest close
        one or are the other half."""
        opens = places[int(self._inside) :: 2]
        closes = places[1 - int(self._inside) :: 2]
        before = np.where(opens > 0, codes[opens - 1], self._before)
        after = codes[closes + 1]
        ends = np.array([COMMA, LF, CR, QUOTE], np.uint8)
        return bool(np.isin(before, ends).all() and np.isin(after, ends).all())

    def _look_at_each(self, data: bytes, places: list[int]) -> None:
        """As above, where some quote amid a value without quotes is a part of it."""
        doubled = -1
        for place in places:
            if place == doubled:
                continue
            if not self._inside:
                before = data[place - 1] if place else self._before
                self._inside = before in (COMMA, LF, CR)
            elif data[place + 1] == QUOTE:
                doubled = place + 1
            elif data[place + 1] in (COMMA, LF, CR):
                self._inside = False
            else:
                line = self._line + data.count(b"\n", 0, place)
                raise CdpError(
                    f"{self._path} has text after a quote that closes a value: line {line}",
                    'double a quote within a value (""), and land it again',
                )
