"""What was checked, of which table, with what result, and the query that shows the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from cdp.errors import CdpError

Outcome = Literal["passed", "warned", "failed", "skipped"]
LIMIT = 100


@dataclass(frozen=True)
class Check:
    """One check of a table, `namespace.name`, or a table that could not be built.

    kind: contract, test, or what dbt could not build: model, seed or snapshot.
    measured: what was compared with a threshold; of most checks the rows that are wrong.
    query: a statement for Trino that shows them, as the run that was checked has them.
    """

    table: str
    column: str
    name: str
    kind: str
    outcome: Outcome
    measured: float | None = None
    detail: str = ""
    query: str = ""

    @property
    def place(self) -> str:
        return f"{self.table}.{self.column}" if self.column else self.table

    def __str__(self) -> str:
        measured = "" if self.measured is None else f": {self.measured:,g}"
        return f"{self.outcome}  {self.place}  {self.name}{measured} {self.detail}".rstrip()


def quoted(name: str) -> str:
    """A name in SQL, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def relation(table: str, run_id: str) -> str:
    """A table in Trino's SQL, as a run has it; as it is published when the run is empty."""
    name = ".".join(map(quoted, table.split(".")))
    return f"{name} for version as of '{run_id}'" if run_id else name


def rows_where(table: str, run_id: str, condition: str) -> str:
    return f"select * from {relation(table, run_id)} where {condition} limit {LIMIT}"  # noqa: S608


def counted_by(table: str, run_id: str, columns: Sequence[str], having: str = "") -> str:
    """How often each value is there, the most frequent first."""
    names = ", ".join(map(quoted, columns))
    return (
        f"select {names}, count(*) as row_count from {relation(table, run_id)} "  # noqa: S608
        f"group by {names} {having} order by row_count desc limit {LIMIT}"
    ).replace("  ", " ")


def demand(checks: Sequence[Check]) -> None:
    """Raises CdpError when one of them failed."""
    failed = [c for c in checks if c.outcome == "failed"]
    if not failed:
        return
    broken = [c for c in failed if c.kind not in {"contract", "test"}]
    fix = "mend the model, the source or the promise, in this order of preference; cdp build"
    if broken:
        names = ", ".join(f"{c.table}: {c.detail}" for c in broken)
        raise CdpError(f"{len(broken)} could not be built: {names}", fix)
    names = "; ".join(f"{c.place}: {c.name}" for c in failed)
    raise CdpError(f"{len(failed)} of {len(checks)} checks failed: {names}", fix, is_final=True)


def show(checks: Sequence[Check], console: Console) -> None:
    """How many checks of each table passed, and those that did not."""
    by_table: dict[str, list[Check]] = {}
    for check in checks:
        by_table.setdefault(check.table, []).append(check)
    overview = Table("table", "checks", "passed", "warned", "failed", box=None)
    for name, found in by_table.items():
        counts = [sum(c.outcome == o for c in found) for o in ("passed", "warned", "failed")]
        bad = f"[red]{counts[2]}[/]" if counts[2] else "0"
        overview.add_row(name, str(len(found)), str(counts[0]), str(counts[1]), bad)
    console.print(overview)
    for check in checks:
        if check.outcome != "passed":
            console.print(f"  {check}", markup=False, soft_wrap=True)
