"""Reads a delivered file, CSV or Parquet, into batches of text in the source's own columns.

Structure is judged here: what the columns are, whether a line can be parsed, whether the key is
there. A line that fails goes to quarantine with its text, number and reason. A file that is not
what the source says is refused whole, before anything is written.
"""

import codecs
import hashlib
import io
import itertools
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from cdp.errors import CdpError
from cdp.landing.quotes import Quotes
from cdp.landing.source import FORMS, Source, one_line

BLOCK_BYTES = 8 << 20
INEXACT = "is a floating-point number that is not whole, or has lost digits: deliver it as text"


@dataclass
class Quarantined:
    """Lines that could not be landed: (line number, text, reason)."""

    lines: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, number: int, text: str, reason: str) -> None:
        self.lines.append((number, text, reason))


@dataclass
class Fit:
    """For each typed column, how many values were given and how many look like its type."""

    given: dict[str, int] = field(default_factory=dict)
    fitting: dict[str, int] = field(default_factory=dict)
    example: dict[str, str] = field(default_factory=dict)

    def count(self, name: str, type_name: str, values: pa.Array) -> None:
        pattern = FORMS[type_name]
        if pattern is None:
            return
        trimmed = pc.utf8_trim_whitespace(values)
        filled = values.filter(pc.not_equal(trimmed, ""))
        fits = pc.match_substring_regex(pc.utf8_trim_whitespace(filled), pattern)
        good = pc.sum(fits).as_py() or 0
        self.given[name] = self.given.get(name, 0) + len(filled)
        self.fitting[name] = self.fitting.get(name, 0) + good
        if good < len(filled) and name not in self.example:
            self.example[name] = filled.filter(pc.invert(fits))[0].as_py()

    def refuse_wrong_types(self, source: Source) -> None:
        """Raises CdpError for a column none of whose values look like its type."""
        for name, given in self.given.items():
            if given and not self.fitting[name]:
                kind = next(c.type for c in source.columns if c.name == name)
                raise CdpError(
                    f"column {name} should hold {kind}, and none of its {given} values does "
                    f"(the first is {self.example[name]!r:.80})",
                    "check that this is the right file, and that no columns are swapped",
                )


def file_format(path: Path) -> str:
    """`csv` or `parquet`, by content. Raises CdpError for what is neither."""
    with path.open("rb") as f:
        head = f.read(4096)
    if not head:
        raise CdpError(f"{path} is empty", "ask for the file to be delivered again")
    if head.startswith(b"PAR1"):
        return "parquet"
    if b"\0" in head:
        raise CdpError(
            f"{path} is neither Parquet nor CSV: it is binary",
            "deliver it as UTF-8 CSV with a heading line, or as Parquet",
        )
    return "csv"


def digest(path: Path) -> str:
    """SHA-256 of the file's bytes: the identity of a delivery."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


@dataclass(frozen=True)
class _Batch:
    """Rows as the file has them: one text array a heading, and the number of each row.

    floating: the places of headings whose values are floating-point numbers.
    """

    headings: list[str]
    texts: list[pa.Array]
    numbers: pa.Array
    floating: frozenset[int] = frozenset()


def read(path: Path, source: Source, quarantined: Quarantined) -> Iterator[pa.Table]:
    """Batches of the source's columns as text, with `_source_row` and `_extra`.

    `_source_row` is the record in a CSV (the heading is 1), the row from 1 in Parquet. `_extra`
    holds columns that the source does not declare, as a JSON object, null where there are none.
    Columns that the file lacks and that have a default are null.
    Raises CdpError for a file that is not what the source says.
    """
    fit = Fit()
    parquet = False
    try:
        parquet = file_format(path) == "parquet"
        for batch in _parquet_batches(path) if parquet else _csv_batches(path, quarantined):
            yield _shape(source, batch, quarantined, fit)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise CdpError(
            f"{path} cannot be read as {'Parquet' if parquet else 'CSV'}: {one_line(str(error))}",
            "ask for the file to be delivered again",
        ) from error
    fit.refuse_wrong_types(source)


class _Utf8(io.RawIOBase):
    """A file's bytes and then an ending; bytes are checked to be UTF-8 before they are passed on.

    Arrow would find wrong bytes too, but not in lines that it cannot parse, and not their place. A
    piece never ends between the bytes of a CRLF: Arrow would lose the LF of one within a value.

    quotes: looks at all that is passed on.
    """

    def __init__(self, path: Path, ending: str, quotes: Quotes | None = None) -> None:
        self._path = path
        self._file = path.open("rb")
        self._ending = ending.encode()
        self._quotes = quotes
        self._held = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._line = 1

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        room = size - len(data)
        try:
            self._decoder.decode(data, final=room > 0)
        except UnicodeDecodeError as error:
            line = self._line + error.object[: error.start].count(b"\n")
            raise CdpError(
                f"{self._path} is not in UTF-8: line {line}",
                "deliver it as UTF-8 CSV with a heading line, or as Parquet",
            ) from None
        self._line += data.count(b"\n")
        added, self._ending = self._ending[:room], self._ending[room:]
        found = self._held + data + added
        self._held = b"\r" if found.endswith(b"\r") and (data or added) else b""
        piece = found.removesuffix(self._held) if self._held else found
        if self._held and not piece:
            return self.read(size)
        if self._quotes:
            self._quotes.feed(piece)
        return piece

    def close(self) -> None:
        self._file.close()
        super().close()


def _csv_batches(path: Path, quarantined: Quarantined) -> Iterator[_Batch]:
    # One thread: only then does the reader know the number of a row that it cannot parse.
    read_options = pa.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES)
    headings = _csv_headings(path, read_options)
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
    with (
        _Utf8(path, f"\n{','.join([mark] * len(headings))}\n", Quotes(path)) as f,
        pa.csv.open_csv(
            f,
            read_options=read_options,
            parse_options=pa.csv.ParseOptions(invalid_row_handler=skip, newlines_in_values=True),
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
            yield _Batch(headings, batch.slice(0, rows).columns, pa.array(numbers, pa.int64()))
    if not marked:
        raise CdpError(
            f"{path} holds a quote that is not closed, in record {max({number, *invalid})}",
            "correct the quotes, and land it again",
        )


def _csv_headings(path: Path, read_options: pa.csv.ReadOptions) -> list[str]:
    options = pa.csv.ParseOptions(invalid_row_handler=lambda _: "skip", newlines_in_values=True)
    try:
        with (
            _Utf8(path, "\n") as f,
            pa.csv.open_csv(f, read_options=read_options, parse_options=options) as reader,
        ):
            names: list[str] = reader.schema.names
            return names
    except pa.ArrowInvalid as error:
        raise CdpError(
            f"{path} has no heading line that can be read: {one_line(str(error))}",
            "deliver it as UTF-8 CSV with a heading line",
        ) from error


def _parquet_batches(path: Path) -> Iterator[_Batch]:
    # Spark's own timestamps are INT96, of which nanoseconds hold the years 1677 to 2262 alone.
    file = pq.ParquetFile(path, coerce_int96_timestamp_unit="us")
    nested = [f.name for f in file.schema_arrow if pa.types.is_nested(f.type)]
    if nested:
        raise CdpError(
            f"{path} holds nested columns: {one_line(', '.join(nested))}",
            "flatten them before delivery",
        )
    first = 1
    for batch in file.iter_batches():
        texts = [column.cast(pa.string()) for column in batch.columns]
        for text in texts:
            text.validate(full=True)  # a file may call bytes text
        numbers = pa.array(range(first, first + batch.num_rows), pa.int64())
        first += batch.num_rows
        floating = {i for i, f in enumerate(batch.schema) if pa.types.is_floating(f.type)}
        yield _Batch(batch.schema.names, texts, numbers, frozenset(floating))


def _shape(source: Source, batch: _Batch, quarantined: Quarantined, fit: Fit) -> pa.Table:
    """The batch in the source's columns; rows without a required value go to quarantine."""
    positions = source.match(batch.headings)
    rows = len(batch.numbers)
    columns: dict[str, pa.Array] = {}
    keep = pa.repeat(True, rows)
    missing: dict[int, list[str]] = {}
    for column in source.columns:
        position = positions[column.name]
        values = pa.nulls(rows, pa.string()) if position is None else batch.texts[position]
        if column.name in source.key and position in batch.floating:
            values, inexact = _whole(values)
            for i in pc.indices_nonzero(inexact).to_pylist():
                missing.setdefault(i, []).append(f"{column.name} {INEXACT}")
            keep = pc.and_(keep, pc.invert(inexact))
        columns[column.name] = values
        fit.count(column.name, column.type, values.drop_null())
        if column.default is None and (column.required or column.name in source.key):
            blank = pc.equal(pc.utf8_trim_whitespace(values.fill_null("")), "")
            for i in pc.indices_nonzero(blank).to_pylist():
                missing.setdefault(i, []).append(f"{column.name} is missing")
            keep = pc.and_(keep, pc.invert(blank))
    for i, reasons in sorted(missing.items()):
        text = json.dumps([t[i].as_py() for t in batch.texts])
        quarantined.add(batch.numbers[i].as_py(), text, "; ".join(reasons))
    taken = {p for p in positions.values() if p is not None}
    extra = [i for i in range(len(batch.headings)) if i not in taken]
    columns["_extra"] = _as_json(
        [batch.headings[i] for i in extra], [batch.texts[i] for i in extra], rows
    )
    columns["_source_row"] = batch.numbers
    return pa.table(columns).filter(keep)


def _whole(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Texts of floating-point numbers as texts of whole ones; and which are none, or may have lost
    digits. A program that knows no missing integers writes 12 as 12.0."""
    numbers = values.cast(pa.float64())
    whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), 2.0**53))
    exact = pc.fill_null(whole, False)
    texts = pc.if_else(exact, numbers, None).cast(pa.int64()).cast(pa.string())
    return texts, pc.and_(pc.invert(exact), pc.is_valid(values))


def _as_json(names: list[str], values: list[pa.Array], rows: int) -> pa.Array:
    if not names:
        return pa.nulls(rows, pa.string())
    keys: list[str] = []
    for name in names:  # the second `x` is `x (2)`: none is lost
        numbered = (f"{name} ({i})" for i in itertools.count(2))
        keys.append(next(k for k in itertools.chain([name], numbered) if k not in keys))
    records = zip(*(v.to_pylist() for v in values), strict=True)
    return pa.array([json.dumps(dict(zip(keys, r, strict=True))) for r in records], pa.string())
