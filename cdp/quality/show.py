"""Rejected rows, as people read them."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cdp.quality.quarantine import KEY, Quarantine, Rejected, Wanted


def counted(found: Sequence[Rejected], console: Console) -> None:
    """One row a batch and reason."""
    if not found:
        console.print("nothing waits in quarantine")
        return
    shown = Table("source", "batch", "reason", box=None, header_style="bold")
    shown.add_column("rows", justify="right")
    for each in found:
        shown.add_row(each.source, str(each.batch), each.reason, f"{each.rows:,}")
    console.print(shown)


def delivered(found: Quarantine, wanted: Wanted, limit: int, console: Console) -> None:
    """The rows one below the other, each with its reasons and the values that it has."""
    rows = found.open(wanted)
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
