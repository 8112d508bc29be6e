"""Shows an answer of Trino: as a table for people, as CSV or JSON for programs."""

import csv
import json
import sys
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from cdp.trino import Answer

NUMERIC = ("tinyint", "smallint", "integer", "bigint", "real", "double", "decimal")


def answer(found: Answer, style: Literal["table", "csv", "json"], console: Console) -> None:
    """Print the rows. CSV and JSON go to standard output untouched by the terminal's width."""
    if style == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(found.columns)
        writer.writerows([_text(v) for v in row] for row in found.rows)
    elif style == "json":
        records = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        json.dump(records, sys.stdout, default=_plain, indent=2)
        sys.stdout.write("\n")
    else:
        console.print(table(found))


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
