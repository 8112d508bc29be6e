"""Reads a delivered file, CSV, Parquet or a workbook, as text in the source's own columns.

Structure is judged here: what the columns are, whether a line can be parsed, whether the key is
there. A line that fails goes to quarantine with its text, number and reason. A file that is not
what the source says is refused whole, before anything is written.
"""

import codecs
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from cdp.errors import CdpError
from cdp.landing import csv_file, parquet_file
from cdp.landing.dialect import Dialect
from cdp.landing.notation import Notation
from cdp.landing.records import INEXACT_KEY, Quarantined, Records
from cdp.landing.source import FORMS, Source, one_line

ZIP = b"PK\x03\x04"  # what a workbook is
Format = Literal["CSV", "Parquet", "an Excel workbook"]


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


def file_format(path: Path, dialect: Dialect) -> Format:
    """The format of a file, by content. Raises CdpError for what is none of them."""
    with path.open("rb") as f:
        head = f.read(4096)
    if not head:
        raise CdpError(f"{path} is empty", "ask for the file to be delivered again")
    if head.startswith(b"PAR1"):
        return "Parquet"
    if head.startswith(ZIP):
        return "an Excel workbook"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not dialect.is_wide:
        raise CdpError(
            f"{path} is in UTF-16, and the dialect of the source states {dialect.encoding.upper()}",
            "deliver it in that encoding, or correct the dialect",
        )
    if b"\0" in head and not dialect.is_wide:
        raise CdpError(
            f"{path} is neither Parquet, nor CSV, nor an .xlsx workbook: it is binary",
            "deliver it as CSV with a heading line, as .xlsx or as Parquet",
        )
    return "CSV"


def digest(path: Path) -> str:
    """SHA-256 of the file's bytes: the identity of a delivery."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def read(path: Path, source: Source, quarantined: Quarantined) -> Iterator[pa.Table]:
    """Batches of the source's columns as text, with `_source_row` and `_extra`.

    `_source_row` is the record in a CSV (the heading is 1), the row from 1 in Parquet. `_extra`
    holds columns that the source does not declare, as a JSON object, null where there are none.
    Columns that the file lacks and that have a default are null.
    Raises CdpError for a file that is not what the source says.
    """
    fit = Fit()
    kind: Format = "CSV"
    try:
        kind = file_format(path, source.dialect)
        if kind == "Parquet":
            records = parquet_file.read(path)
        elif kind == "CSV":
            records = csv_file.read(path, source.dialect, quarantined)
        else:
            from cdp.landing import sheet

            records = sheet.read(path, source.sheet)
        with Notation(source.dialect) as notation:
            for each in records:
                yield _shape(source, each, notation, quarantined, fit)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise CdpError(
            f"{path} cannot be read as {kind}: {one_line(str(error))}",
            "ask for the file to be delivered again",
        ) from error
    fit.refuse_wrong_types(source)


def _shape(
    source: Source, records: Records, notation: Notation, quarantined: Quarantined, fit: Fit
) -> pa.Table:
    """The records in the source's columns; rows that cannot land go to quarantine."""
    positions = source.match(records.headings)
    rows = len(records.numbers)
    columns: dict[str, pa.Array] = {}
    reasons: dict[int, list[str]] = {}
    for column in source.columns:
        position = positions[column.name]
        faults: list[tuple[pa.Array | None, str]] = []
        values = pa.nulls(rows, pa.string())
        if position is not None:
            values = records.texts[position]
            if column.name in source.key:
                values, inexact = _whole(values, records, position)
                faults.append((inexact, INEXACT_KEY))
            values, foreign = notation.canonical(values, column.type, records.written[position])
            faults.append((foreign, f"is no {column.type} in the dialect of the source"))
            for i, of_row in records.faults.items():
                if position in of_row:
                    reasons.setdefault(i, []).append(f"{column.name} {of_row[position]}")
        if column.default is None and (column.required or column.name in source.key):
            blank = pc.equal(pc.utf8_trim_whitespace(values.fill_null("")), "")
            faults.append((blank, "is missing"))
        for which, reason in faults:
            for i in pc.indices_nonzero(which).to_pylist() if which is not None else []:
                reasons.setdefault(i, []).append(f"{column.name} {reason}")
        fit.count(column.name, column.type, values.drop_null())
        columns[column.name] = values
    for i, found in sorted(reasons.items()):
        text = json.dumps([t[i].as_py() for t in records.texts])
        quarantined.add(records.numbers[i].as_py(), text, "; ".join(found))
    taken = {p for p in positions.values() if p is not None}
    extra = [i for i in range(len(records.headings)) if i not in taken]
    columns["_extra"] = _as_json(
        [records.headings[i] for i in extra], [records.texts[i] for i in extra], rows
    )
    columns["_source_row"] = records.numbers
    keep = pa.array([i not in reasons for i in range(rows)], pa.bool_())
    return pa.table(columns).filter(keep)


def _whole(values: pa.Array, records: Records, position: int) -> tuple[pa.Array, pa.Array | None]:
    """Texts of floating-point numbers as texts of whole ones; and which are none, or may have lost
    digits. A program that knows no missing integers writes 12 as 12.0."""
    floating = records.floating[position]
    if floating is False:
        return values, None
    numbers = (values if floating is True else pc.if_else(floating, values, None)).cast(
        pa.float64()
    )
    whole = pc.equal(pc.floor(numbers), numbers)
    exact = pc.fill_null(pc.and_(whole, pc.less(pc.abs(numbers), records.exact_below)), False)
    texts = pc.if_else(exact, numbers, None).cast(pa.int64()).cast(pa.string())
    return pc.coalesce(texts, values), pc.and_(pc.invert(exact), pc.is_valid(numbers))


def _as_json(names: list[str], values: list[pa.Array], rows: int) -> pa.Array:
    if not names:
        return pa.nulls(rows, pa.string())
    keys: list[str] = []
    for name in names:  # the second `x` is `x (2)`: none is lost
        numbered = (f"{name} ({i})" for i in itertools.count(2))
        keys.append(next(k for k in itertools.chain([name], numbered) if k not in keys))
    records = zip(*(v.to_pylist() for v in values), strict=True)
    return pa.array([json.dumps(dict(zip(keys, r, strict=True))) for r in records], pa.string())
