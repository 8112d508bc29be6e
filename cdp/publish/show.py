"""Runs and differences, as people read them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from cdp.publish.diff import Difference
from cdp.publish.journal import Move, Run
from cdp.publish.publisher import tag

STYLES = {"published": "green", "failed": "red", "refused": "red", "audited": "yellow"}


def runs(found: Sequence[Run], console: Console) -> None:
    """One row a run, the last one first, and why some were not published."""
    shown = Table(box=None, header_style="bold")
    for name in ("run", "state", "publish", "changed", "began", "took"):
        right = name in {"publish", "changed", "took"}
        shown.add_column(name, justify="right" if right else "left", no_wrap=True)
    for run in reversed(found):
        shown.add_row(
            run.run_id,
            f"[{STYLES.get(run.state, 'default')}]{run.state}[/]",
            str(run.publish or ""),
            str(len(run.changed) or ""),
            run.began.strftime("%m-%d %H:%M") if run.began else "",
            _took(run),
        )
    console.print(shown)
    for run in reversed(found):
        if run.detail:
            console.print(f"{run.run_id}: {run.detail}", markup=False, soft_wrap=True)


def _took(run: Run) -> str:
    if not run.began or not run.ended or run.state == "begun":
        return ""
    return f"{(run.ended - run.began).total_seconds():.0f} s"


def as_json(run: Run) -> dict[str, Any]:
    """A run for programs: moments are ISO 8601, tables those that a publish changed."""

    def text(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    return {
        "run_id": run.run_id,
        "state": run.state,
        "publish": run.publish,
        "began_at": text(run.began),
        "ended_at": text(run.ended),
        "detail": run.detail,
        "changed": [
            {"table": m.table, "old_snapshot": m.old, "new_snapshot": m.new} for m in run.changed
        ],
    }


def of_json(told: Mapping[str, Any]) -> Run:
    """The run that `as_json` has told."""

    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    changed = [Move(m["table"], m["old_snapshot"], m["new_snapshot"]) for m in told["changed"]]
    return Run(
        told["run_id"],
        told["state"],
        told["publish"],
        moment(told["began_at"]),
        moment(told["ended_at"]),
        told["detail"],
        intended=changed,
    )


def look(run_id: str) -> str:
    """How to look at a run that is not published."""
    return (
        f"cdp diff {run_id} shows its rows, and so does a query for version as of '{run_id}'; "
        f"cdp discard {run_id} removes it"
    )


def published(number: int, changed: Sequence[Move]) -> str:
    """A line about a publish."""
    if not number:
        return "nothing has changed: there is nothing to publish"
    tables = "1 table" if len(changed) == 1 else f"{len(changed)} tables"
    return f"published as {tag(number)}: {tables} changed"


def differences(found: Sequence[Difference], console: Console) -> None:
    """One row a table."""
    if not found:
        console.print("nothing has changed")
        return
    shown = Table("table", box=None, header_style="bold")
    for name in ("added", "changed", "removed"):
        shown.add_column(name, justify="right")
    for row in found:
        changed = "" if row.changed is None else f"{row.changed:,}"
        shown.add_row(row.table, f"{row.added:,}", changed, f"{row.removed:,}")
    console.print(shown)
