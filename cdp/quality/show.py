"""Rejected rows, as people read them."""

import itertools
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cdp.quality.quarantine import KEY, Quarantine, Wanted


def counted(found: Sequence[Quarantine], console: Console) -> None:
    """One row a batch, stage and reason."""
    rejected = [each for source in found for each in source.listed()]
    if rejected:
        shown = Table("source", "batch", "stage", "reason", box=None, header_style="bold")
        shown.add_column("rows", justify="right")
        for each in rejected:
            shown.add_row(
                each.source, str(each.batch), each.stage, escape(each.reason), f"{each.rows:,}"
            )
        console.print(shown)
    unjudged = [table for source in found if (table := source.unjudged())]
    for table in unjudged:
        console.print(
            f"{table} is not built: what staging rejects is not known (cdp build)", soft_wrap=True
        )
    if not rejected and not unjudged:
        console.print("no row is rejected or in quarantine")


def delivered(found: Quarantine, wanted: Wanted, limit: int, console: Console) -> None:
    """The rows one below the other, each with its reasons and the values that it has."""
    lines = list(itertools.islice(found.lines(wanted), limit))
    for line in lines:
        place = f"{line.file} row {line.row}"
        console.print(
            f"[bold]batch {line.batch}, {place}[/]: {escape(line.reason)}", soft_wrap=True
        )
        console.print(f"  {line.text}", markup=False, soft_wrap=True)
    rows = found.open(wanted)
    limit -= len(lines)
    reasons = {(r["_batch"], *(r[k] for k in KEY)): r["reject_reasons"] for r in rows[:limit]}
    for batch, table in found.landed(rows[:limit]):
        for row in table.to_pylist():
            place = f"{row[KEY[0]]} row {row[KEY[1]]}"
            why = ", ".join(reasons[batch, row[KEY[0]], row[KEY[1]]])
            console.print(f"[bold]batch {batch}, {place}[/]: {why}", soft_wrap=True)
            for name, value in row.items():
                if value is not None and not name.startswith("_"):
                    console.print(f"  {name}: {value}", markup=False, soft_wrap=True)
    if len(rows) > limit:
        console.print(f"and {len(rows) - limit} more: --limit")
