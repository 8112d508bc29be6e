"""Reads a sheet of an Excel workbook (`.xlsx`) as records of text.

Cells are read as the values that they hold, not as they are displayed.
"""

import itertools
import posixpath
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from cdp.errors import CdpError
from cdp.landing.records import Records
from cdp.landing.source import one_line

ROWS = 50_000
# Excel keeps 15 digits of a number.
EXACT_BELOW = 1e15
# The parser of XML is expat, which bounds what entities can grow to: hence S314 is let be.
# Without one of these, no cell of a sheet holds an error or a formula.
SUSPECT = re.compile(rb"""\st=["']e["']|[<:]f[\s/>]""")

Cell = float | str | bool | date | timedelta | time


class Unread(NamedTuple):
    """A cell that calamine takes for a blank one and that is not: its text, and what it is."""

    text: str
    what: str


class _Row(NamedTuple):
    """A row: its number in the sheet, its cells, and what is wrong with some, by their place."""

    number: int
    cells: list[Cell]
    faults: dict[int, str]


def read(path: Path, sheet: str | None) -> Iterator[Records]:
    """The rows below the heading of a sheet, a bounded number at a time. Blank rows are left out.

    A record's number is that of its row in the sheet. The heading is the first row that is not
    blank.
    sheet: its name; by default that of the one that is visible.
    Raises CdpError for what is no workbook, and where it has no such sheet.
    """
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        chosen = workbook.get_sheet_by_name(_name(path, workbook, sheet))
    except (CalamineError, zipfile.BadZipFile) as error:
        raise CdpError(
            f"{path} is a zip archive, and no Excel workbook that can be read: "
            f"{one_line(str(error))}",
            "deliver it as .xlsx, CSV or Parquet",
        ) from error
    unread = _unread_cells(path, chosen.name)
    rows = _rows(chosen, unread)
    heading = next(rows, None)
    if heading is None:
        raise CdpError(
            f"{path} has nothing in its sheet {one_line(chosen.name)}",
            "ask for the file to be delivered again",
        )
    headings = [_text(cell) for cell in heading.cells]
    while part := list(itertools.islice(rows, ROWS)):
        yield _records(headings, part)


def _name(path: Path, workbook: CalamineWorkbook, sheet: str | None) -> str:
    sheets = [s for s in workbook.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    visible = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible]
    if sheet is not None and sheet not in [s.name for s in sheets]:
        raise CdpError(
            f"{path} has no sheet {sheet}; it has {one_line(', '.join(s.name for s in sheets))}",
            "correct the file, or `sheet` of the source",
        )
    if sheet is None and len(visible) != 1:
        raise CdpError(
            f"{path} has {len(visible)} visible sheets: {one_line(', '.join(visible))}",
            "name one as `sheet` of the source",
        )
    return visible[0] if sheet is None else sheet


def _rows(sheet: CalamineSheet, unread: dict[int, dict[int, Unread]]) -> Iterator[_Row]:
    """The rows that are not blank. calamine ends with the last cell that it has a value of."""
    start = (sheet.start or (0, 0))[1] + 1
    beyond = max(unread, default=0) - sheet.total_height
    blank: list[list[Cell]] = [[""] * sheet.width for _ in range(beyond)]
    rows = itertools.chain(sheet.iter_rows(), blank)
    for number, cells in enumerate(rows, 1):
        faults = {
            column - start: cell
            for column, cell in unread.get(number, {}).items()
            if 0 <= column - start < len(cells)
        }
        for place, cell in faults.items():
            cells[place] = cell.text
        if faults or any(cell != "" for cell in cells):
            yield _Row(number, cells, {place: cell.what for place, cell in faults.items()})


def _records(headings: list[str], rows: list[_Row]) -> Records:
    columns = list(zip(*(row.cells for row in rows), strict=True))
    return Records(
        headings,
        [pa.array([_text(cell) for cell in column], pa.string()) for column in columns],
        pa.array([row.number for row in rows], pa.int64()),
        written=[pa.array([isinstance(cell, str) for cell in column]) for column in columns],
        floating=[pa.array([isinstance(cell, float) for cell in column]) for column in columns],
        faults={place: row.faults for place, row in enumerate(rows) if row.faults},
        exact_below=EXACT_BELOW,
    )


def _text(cell: Cell) -> str:
    """A value as landing keeps it; of a blank cell it is empty."""
    match cell:
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer() and abs(cell) < EXACT_BELOW:
            return str(int(cell))
        case datetime():
            return cell.isoformat()
        case timedelta():
            minutes, seconds = divmod(round(cell.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(cell)


def _unread_cells(path: Path, sheet: str) -> dict[int, dict[int, Unread]]:
    """Errors, and formulas whose value no program has computed, by row and column from 1."""
    unread: dict[int, dict[int, Unread]] = {}
    with zipfile.ZipFile(path) as archive:
        part = _part(archive, sheet)
        with archive.open(part) as f:
            if not any(SUSPECT.search(line) for line in f):
                return unread
        with archive.open(part) as f:
            row = column = 0
            for event, element in ElementTree.iterparse(f, ("start", "end")):  # noqa: S314
                kind = element.tag.rpartition("}")[2]
                if event == "start" and kind == "row":  # numbers may be left out
                    row, column = int(element.get("r", row + 1)), 0
                elif event == "end" and kind == "c":
                    column = _column(element.get("r", "")) or column + 1
                    if what := _unread(element):
                        unread.setdefault(row, {})[column] = what
                elif event == "end" and kind == "row":
                    element.clear()
    return unread


def _part(archive: zipfile.ZipFile, sheet: str) -> str:
    """The path in the archive of the sheet of that name."""
    with archive.open("xl/workbook.xml") as f:
        sheets = ElementTree.parse(f).iterfind(".//{*}sheet")  # noqa: S314
        relation = next(
            value
            for each in sheets
            if each.get("name") == sheet
            for name, value in each.items()
            if name.endswith("}id")
        )
    with archive.open("xl/_rels/workbook.xml.rels") as f:
        relations = ElementTree.parse(f).iter()  # noqa: S314
    targets = {r.get("Id"): r.get("Target", "") for r in relations}
    return posixpath.join("/xl", targets[relation]).lstrip("/")


def _column(reference: str) -> int:
    """The number, from 1, of the column that a cell's reference such as `AB12` names."""
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def _unread(cell: ElementTree.Element) -> Unread | None:
    kind, value = cell.get("t", "n"), cell.findtext("{*}v") or ""
    if kind == "e":
        return Unread(value, "holds an error")
    formula = cell.findtext("{*}f")
    if kind == "n" and not value and formula is not None:
        what = "holds a formula without its value: save the workbook in a program that computes it"
        return Unread(f"={formula}", what)
    return None
