"""Reads a CSV file in its source's dialect as records of text."""

import codecs
import io
import itertools
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from cdp.errors import CdpError
from cdp.landing.dialect import Dialect
from cdp.landing.quotes import Quotes
from cdp.landing.records import Quarantined, Records
from cdp.landing.source import one_line

BLOCK_BYTES = 8 << 20
# Controls that ISO 8859 has where Windows' encodings have signs such as that of the euro.
CONTROLS = re.compile("[\x80-\x9f]")


def read(path: Path, dialect: Dialect, quarantined: Quarantined) -> Iterator[Records]:
    """The records of a file, a bounded number at a time; lines of another length go to quarantine.

    A record's number counts from the heading, which is 1.
    Raises CdpError for a file that is not CSV in this dialect.
    """
    # One thread: only then does the reader know the number of a row that it cannot parse.
    read_options = pa.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES)
    headings = _headings(path, dialect, read_options)
    invalid: set[int] = set()

    def skip(row: pa.csv.InvalidRow) -> str:
        invalid.add(row.number)
        reason = f"{row.actual_columns} fields where the heading has {row.expected_columns}"
        quarantined.add(row.number, row.text, reason)
        return "skip"

    # One record more than the file has: where it does not come out, a quote before it swallowed it.
    mark = uuid.uuid4().hex
    number = 1
    marked = False
    ending = f"\n{dialect.delimiter.join([mark] * len(headings))}\n"
    with (
        _Utf8(path, dialect, ending, Quotes(path, dialect)) as f,
        pa.csv.open_csv(
            f,
            read_options=read_options,
            parse_options=_parse_options(dialect, skip),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(headings, pa.string()), strings_can_be_null=False
            ),
        ) as reader,
    ):
        for batch in reader:
            rows = batch.num_rows
            if rows and batch.column(0)[rows - 1].as_py() == mark:
                marked = True
                rows -= 1
            numbers: list[int] = []
            while len(numbers) < rows:
                number += 1
                if number not in invalid:
                    numbers.append(number)
            yield Records(
                headings,
                batch.slice(0, rows).columns,
                pa.array(numbers, pa.int64()),
                written=[True] * len(headings),
                floating=[False] * len(headings),
            )
    if not marked:
        raise CdpError(
            f"{path} holds a quote that is not closed, in record {max({number, *invalid})}",
            "correct the quotes, and land it again",
        )


def _headings(path: Path, dialect: Dialect, read_options: pa.csv.ReadOptions) -> list[str]:
    parse_options = _parse_options(dialect, lambda _: "skip")
    try:
        with (
            _Utf8(path, dialect, "\n") as f,
            pa.csv.open_csv(f, read_options=read_options, parse_options=parse_options) as reader,
        ):
            names: list[str] = reader.schema.names
            return names
    except pa.ArrowInvalid as error:
        raise CdpError(
            f"{path} has no heading line that can be read: {one_line(str(error))}",
            "deliver it as CSV with a heading line",
        ) from error


def _parse_options(
    dialect: Dialect, skip: Callable[[pa.csv.InvalidRow], str]
) -> pa.csv.ParseOptions:
    return pa.csv.ParseOptions(
        delimiter=dialect.delimiter,
        quote_char=dialect.quote or False,
        double_quote=dialect.quote is not None and dialect.escape is None,
        escape_char=dialect.escape or False,
        newlines_in_values=dialect.quote is not None,
        invalid_row_handler=skip,
    )


class _Utf8(io.RawIOBase):
    """A file's text in UTF-8, and then an ending.

    A piece never ends between the bytes of a CRLF: Arrow would lose the LF of one within a value.

    quotes: looks at all that is passed on.
    """

    def __init__(
        self, path: Path, dialect: Dialect, ending: str, quotes: Quotes | None = None
    ) -> None:
        self._pieces = itertools.chain(_in_utf8(path, dialect), [ending.encode()])
        self._quotes = quotes
        self._ready = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size` of them; none at the end."""
        # One more than is asked for says whether an LF follows.
        while len(self._ready) <= size and (piece := next(self._pieces, b"")):
            self._ready += piece
        piece, self._ready = self._ready[:size], self._ready[size:]
        if self._ready and piece.endswith(b"\r"):
            piece, self._ready = piece[:-1], b"\r" + self._ready
        if self._quotes:
            self._quotes.feed(piece)
        return piece


def _in_utf8(path: Path, dialect: Dialect) -> Iterator[bytes]:
    """The pieces of a file, in UTF-8.

    Raises CdpError for bytes that the dialect's encoding does not have. Arrow would find these too,
    but not in lines that it cannot parse, and not their place.
    """
    decoder = codecs.getincrementaldecoder(dialect.encoding)()
    doubt = None if dialect.is_utf8 or dialect.is_wide else _Doubt(path, dialect)
    line = 1
    with path.open("rb") as f:
        while True:
            data = f.read(BLOCK_BYTES)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeError as error:
                if isinstance(error, UnicodeDecodeError):
                    line += error.object[: error.start].count(b"\n")
                raise CdpError(
                    f"{path} is not in {dialect.encoding.upper()}: line {line}",
                    "deliver it in UTF-8, or state its encoding in the dialect of the source",
                ) from None
            if doubt:
                doubt.look_at(data, text, line)
            if not data:
                break
            line += text.count("\n")
            if text:
                yield data if dialect.is_utf8 else text.encode()


class _Doubt:
    """Finds text of another encoding than the dialect states, which would decode all the same."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self._path = path
        self._encoding = dialect.encoding.upper()
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._may_be_utf8 = True
        self._is_ascii = True

    def look_at(self, data: bytes, text: str, line: int) -> None:
        """Look at the next bytes, or at the end, where there are none."""
        if control := CONTROLS.search(text):
            line += text.count("\n", 0, control.start())
            raise CdpError(
                f"{self._path} has control characters, read as {self._encoding}: line {line}",
                "state the encoding in which it is written, such as cp1252, in the dialect",
            )
        self._is_ascii = self._is_ascii and data.isascii()
        if self._may_be_utf8:
            try:
                self._utf8.decode(data, final=not data)
            except UnicodeDecodeError:
                self._may_be_utf8 = False
        if not data and self._may_be_utf8 and not self._is_ascii:
            raise CdpError(
                f"{self._path} is in UTF-8, and the dialect of the source states {self._encoding}",
                "deliver it in that encoding, or correct the dialect",
            )
