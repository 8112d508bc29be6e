"""Reads a delivered file, CSV or Parquet, into batches of text in the source's own columns.

Structure is judged here: what the columns are, whether a line can be parsed, whether the key is
there. A line that fails goes to quarantine with its text, number and reason. A file that is not
what the source says is refused whole, before anything is written.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from cdp.errors import CdpError
from cdp.landing.source import TYPE_PATTERNS, Source

BLOCK_BYTES = 8 << 20


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
        pattern = TYPE_PATTERNS[type_name]
        if pattern is None:
            return
        filled = values.filter(pc.not_equal(pc.utf8_trim_whitespace(values), ""))
        fits = pc.match_substring_regex(filled, pattern)
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
                    f"(the first is {self.example[name]!r})",
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
    """Rows as the file has them: one text array a heading, and the number of each row."""

    headings: list[str]
    texts: list[pa.Array]
    numbers: pa.Array


def read(path: Path, source: Source, quarantined: Quarantined) -> Iterator[pa.Table]:
    """Batches of the source's columns as text, with `_source_row` and `_extra`.

    `_source_row` is the record in a CSV (the heading is 1), the row from 1 in Parquet. `_extra`
    holds columns that the source does not declare, as a JSON object, null where there are none.
    Columns that the file lacks and that have a default are null.
    Raises CdpError for a file that is not what the source says.
    """
    parquet = file_format(path) == "parquet"
    fit = Fit()
    try:
        for batch in _parquet_batches(path) if parquet else _csv_batches(path, quarantined):
            yield _shape(source, batch, quarantined, fit)
    except pa.ArrowInvalid as error:
        reason = str(error).splitlines()[0]
        raise CdpError(
            f"{path} cannot be read as {'Parquet' if parquet else 'CSV'}: {reason}",
            "ask for the file to be delivered again",
        ) from error
    fit.refuse_wrong_types(source)


def _csv_batches(path: Path, quarantined: Quarantined) -> Iterator[_Batch]:
    with path.open(encoding="utf-8-sig", newline="") as f:
        try:
            headings = next(csv.reader(f))
        except (StopIteration, UnicodeDecodeError, csv.Error):
            raise CdpError(
                f"{path} has no heading line in UTF-8",
                "deliver it as UTF-8 CSV with a heading line",
            ) from None
    invalid: set[int] = set()

    def skip(row: pa.csv.InvalidRow) -> str:
        invalid.add(row.number)
        reason = f"{row.actual_columns} fields where the heading has {row.expected_columns}"
        quarantined.add(row.number, row.text, reason)
        return "skip"

    reader = pa.csv.open_csv(
        path,
        # One thread: only then does the reader know the number of a row that it cannot parse.
        read_options=pa.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        parse_options=pa.csv.ParseOptions(invalid_row_handler=skip, newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(headings, pa.string()), strings_can_be_null=False
        ),
    )
    number = 1
    for batch in reader:
        numbers: list[int] = []
        while len(numbers) < batch.num_rows:
            number += 1
            if number not in invalid:
                numbers.append(number)
        yield _Batch(headings, batch.columns, pa.array(numbers, pa.int64()))


def _parquet_batches(path: Path) -> Iterator[_Batch]:
    file = pq.ParquetFile(path)
    nested = [f.name for f in file.schema_arrow if pa.types.is_nested(f.type)]
    if nested:
        raise CdpError(
            f"{path} holds nested columns: {', '.join(nested)}", "flatten them before delivery"
        )
    first = 1
    for batch in file.iter_batches():
        texts = [column.cast(pa.string()) for column in batch.columns]
        numbers = pa.array(range(first, first + batch.num_rows), pa.int64())
        first += batch.num_rows
        yield _Batch(batch.schema.names, texts, numbers)


def _shape(source: Source, batch: _Batch, quarantined: Quarantined, fit: Fit) -> pa.Table:
    """The batch in the source's columns; rows without a required value go to quarantine."""
    positions = source.match(batch.headings)
    rows = len(batch.numbers)
    columns: dict[str, pa.Array] = {}
    keep = pa.array([True] * rows)
    for column in source.columns:
        position = positions[column.name]
        values = pa.nulls(rows, pa.string()) if position is None else batch.texts[position]
        columns[column.name] = values
        fit.count(column.name, column.type, values.drop_null())
        if column.required:
            blank = pc.equal(pc.utf8_trim_whitespace(values.fill_null("")), "")
            for i in pc.indices_nonzero(blank).to_pylist():
                text = json.dumps([t[i].as_py() for t in batch.texts])
                quarantined.add(batch.numbers[i].as_py(), text, f"{column.name} is missing")
            keep = pc.and_(keep, pc.invert(blank))
    taken = {p for p in positions.values() if p is not None}
    extra = [i for i in range(len(batch.headings)) if i not in taken]
    columns["_extra"] = _as_json(
        [batch.headings[i] for i in extra], [batch.texts[i] for i in extra], rows
    )
    columns["_source_row"] = batch.numbers
    return pa.table(columns).filter(keep)


def _as_json(names: list[str], values: list[pa.Array], rows: int) -> pa.Array:
    if not names:
        return pa.nulls(rows, pa.string())
    records = zip(*(v.to_pylist() for v in values), strict=True)
    return pa.array([json.dumps(dict(zip(names, r, strict=True))) for r in records], pa.string())
