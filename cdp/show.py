"""Shows an answer of Trino: as a table for people, as CSV or JSON for programs."""

import csv
import json
import sys
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from rich.console import Console
from rich.measure import Measurement
from rich.rule import Rule
from rich.table import Table

from cdp.trino import Answer

WIDEST = 100_000
NUMERIC = ("tinyint", "smallint", "integer", "bigint", "real", "double", "decimal")


def answer(found: Answer, style: Literal["table", "csv", "json"], console: Console) -> None:
    """Print the rows. CSV and JSON go to standard output untouched by the terminal's width.

    A table that is wider than the terminal is printed row by row, a line for each column.
    """
    if style == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(found.columns)
        writer.writerows([_text(v) for v in row] for row in found.rows)
    elif style == "json":
        records = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        json.dump(records, sys.stdout, default=_plain, indent=2)
        sys.stdout.write("\n")
    else:
        shown = table(found)
        width = Measurement.get(console, console.options.update(max_width=WIDEST), shown).maximum
        if width <= console.width:
            console.print(shown)
        elif console.is_terminal:
            _row_by_row(found, console)
        else:
            # A file has no width.
            Console(file=console.file, width=width).print(shown)


def _row_by_row(found: Answer, console: Console) -> None:
    for number, row in enumerate(found.rows, 1):
        console.print(Rule(f"row {number:,}", align="left", style="dim"))
        lines = Table(box=None, show_header=False)
        lines.add_column(style="bold", no_wrap=True)
        lines.add_column(overflow="fold")
        for name, value in zip(found.columns, row, strict=True):
            lines.add_row(name, _cell(value))
        console.print(lines)


def table(found: Answer) -> Table:
    """The rows as a table: numbers to the right, nulls distinct from empty text."""
    shown = Table(box=None, header_style="bold")
    for name, kind in zip(found.columns, found.types, strict=True):
        numeric = kind.startswith(NUMERIC)
        shown.add_column(name, justify="right" if numeric else "left", no_wrap=numeric)
    for row in found.rows:
        shown.add_row(*(_cell(v) for v in row))
    return shown


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever Trino returns
    if value is None:
        return "[dim]null[/]"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{value:,}"
    return _text(value).replace("[", "\\[")


def _text(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(_plain(value)) if isinstance(value, datetime | date | time) else str(value)


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)
