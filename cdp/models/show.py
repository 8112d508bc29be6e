"""Versions of models and what the gate says of them, as people read it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from cdp.models.gate import Verdict
from cdp.models.version import METRICS, PREFIX, Version

WIDEST = 1000


def versions(found: Sequence[Version], console: Console) -> None:
    """One row a version, the last one of each problem first."""
    if not found:
        console.print("no model is registered")
        return
    shown = Table(box=None, header_style="bold")
    for name in ("problem", "version", "alias", "estimator", "ROC-AUC", "gate", "registered"):
        right = name in {"version", "ROC-AUC"}
        shown.add_column(name, justify="right" if right else "left", no_wrap=True)
    for version in sorted(found, key=lambda v: (v.problem, -v.number)):
        shown.add_row(
            version.problem,
            str(version.number),
            ", ".join(version.aliases),
            version.estimator,
            "" if version.roc_auc is None else f"{version.roc_auc:.4f}",
            _gate(version.verdict),
            version.registered_at[:16].replace("T", " "),
        )
    _print(shown, console)


def _print(table: Table, console: Console) -> None:
    """Print it; to a file as wide as it is, since that has no width."""
    wide = console if console.is_terminal else Console(file=console.file, width=WIDEST)
    wide.print(table)


def _gate(verdict: Mapping[str, Any] | None) -> str:
    if not verdict:
        return ""
    if verdict["passed"]:
        return "[green]passed[/]"
    return "[yellow]forced[/]" if verdict["forced"] else "[red]failed[/]"


def version(found: Version, report: Mapping[str, Any], console: Console) -> None:
    """What a version is, its figures, and what the gate said."""
    facts = Table(box=None, show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    told = {
        "model": f"{PREFIX}{found.problem}",
        "version": str(found.number),
        "alias": ", ".join(found.aliases),
        "id": found.model_id,
        "estimator": found.estimator,
        "registered": found.registered_at,
        "rows": f"{report['rows']:,}, {report['positives']:,} of them positive",
        "protocol": report["protocol"],
        "training set": found.training_tag,
        "hash of rows": found.row_hash,
        "files": found.source,
        "followed": f"version {found.previous}" if found.previous else "",
    }
    for name, text in told.items():
        if text:
            facts.add_row(name, text.replace("[", "\\["))
    _print(facts, console)
    _print(_figures([(str(found.number), report)]), console)
    if found.verdict:
        against = found.verdict["against"]
        reason = found.verdict["forced"]
        console.print(
            f"gate of {found.verdict['at']}, "
            + (f"against version {against}" if against else "without a champion")
            + (f"; forced: {reason}" if reason else ""),
            markup=False,
            soft_wrap=True,
        )
        verdict(Verdict.of_json(found.verdict), console)


def compared(
    old: Version,
    new: Version,
    reports: Sequence[Mapping[str, Any]],
    judged: Verdict,
    console: Console,
) -> None:
    """The figures of two versions side by side, and what the gate says of the second."""
    names = [f"version {old.number}", f"version {new.number}"]
    _print(_figures(list(zip(names, reports, strict=True))), console)
    verdict(judged, console)


def _figures(reports: Sequence[tuple[str, Mapping[str, Any]]]) -> Table:
    shown = Table(box=None, header_style="bold")
    shown.add_column("figure", no_wrap=True)
    for name, _ in reports:
        shown.add_column(name, justify="right", no_wrap=True)
    for metric in METRICS:
        shown.add_row(metric, *(_figure(report, metric) for _, report in reports))
    return shown


def _figure(report: Mapping[str, Any], metric: str) -> str:
    told = report["candidates"][report["estimator"]]["metrics"][metric]
    return f"{told['value']:.4f} [dim]{told['low']:.4f} to {told['high']:.4f}[/]"


def verdict(found: Verdict, console: Console) -> None:
    """A line a check."""
    for check in found.checks:
        mark = "[green]passed[/]" if check.passed else "[red]FAILED[/]"
        console.print(f"{mark}  ", end="")
        console.print(f"{check.name}: {check.words}", markup=False, soft_wrap=True)
