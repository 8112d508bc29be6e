"""How tables are, and how they are to be kept, as people read it."""

from collections.abc import Sequence

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from cdp.upkeep.health import Health
from cdp.upkeep.rules import Kept


def measured(found: Sequence[tuple[Kept, Health]], console: Console) -> None:
    """One row a table, and the rules below: those of most tables first, then those that differ."""
    shown = Table(box=None, header_style="bold")
    shown.add_column("table")
    for name in ("rows", "size", "files", "small", "deletes", "snapshots"):
        shown.add_column(name, justify="right", no_wrap=True)
    by_rules: dict[str, list[str]] = {}
    for kept, health in found:
        by_rules.setdefault(_rules(kept), []).append(kept.name)
        shown.add_row(
            kept.name,
            f"{health.rows:,}",
            decimal(health.bytes),
            f"{health.files:,}",
            f"{health.small_files:,}",
            f"{health.delete_files:,}",
            f"{health.snapshots:,}",
        )
    console.print(shown)
    for rules, names in sorted(by_rules.items(), key=lambda item: -len(item[1])):
        tables = f"{len(names)} tables" if len(names) > 1 else names[0]
        console.print(f"{tables}: {rules}", markup=False, soft_wrap=True)


def _rules(kept: Kept) -> str:
    return ", ".join(f"{key} {value}" for key, value in kept.rules.model_dump().items())
