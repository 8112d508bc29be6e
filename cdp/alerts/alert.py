"""One message for each cause, as people read it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cdp.quality.checks import Check

Severity = Literal["failed", "warned", "resolved"]
ICONS = {"failed": ":red_circle:", "warned": ":large_yellow_circle:"}
ICONS["resolved"] = ":large_green_circle:"
# A table that breaks many checks is reported by the first of them.
LINES = 5


@dataclass(frozen=True)
class Cause:
    """What is wrong, in the same words from run to run: a table, or what kept a run from its end.

    name: the table, or `run`. lines: what was found, one a check. rows: of the first of them.
    query: a statement for Trino that shows these rows; empty where there are none to show.
    """

    name: str
    severity: Severity
    lines: tuple[str, ...]
    rows: float | None = None
    query: str = ""


@dataclass(frozen=True)
class Alert:
    """A cause, with the run that found it, since when it is there, and who owns the table."""

    cause: Cause
    run_id: str
    owner: str
    since: datetime

    @property
    def title(self) -> str:
        if self.cause.severity == "resolved":
            return f"{self.cause.name}: resolved"
        what = "failed" if self.cause.severity == "failed" else "warns"
        of = "The run" if self.cause.name == RUN else self.cause.name
        return f"{of} {what}: {self.cause.lines[0]}"

    def facts(self) -> dict[str, str]:
        """What else there is to know, in the order in which people ask."""
        known = {
            "since": f"{self.since:%Y-%m-%d %H:%M} UTC",
            "rows": "" if self.cause.rows is None else f"{self.cause.rows:,g}",
            "owner": self.owner,
            "run": self.run_id,
        }
        return {name: value for name, value in known.items() if value}

    def text(self) -> str:
        """The whole of it as plain text."""
        lines = [self.title, ""]
        lines += [f"  {line}" for line in self.cause.lines[1:]]
        lines += [f"{name + ':':8}{value}" for name, value in self.facts().items()]
        if self.cause.query:
            lines += ["", "see the rows:", f"  {self.cause.query}"]
        return "\n".join(lines) + "\n"

    def slack(self) -> dict[str, Any]:
        """A message as Slack's incoming webhooks take it, and those that are compatible."""
        facts = "   ".join(f"*{name}* {_slack(v)}" for name, v in self.facts().items())
        body = "\n".join([*(f"• {_slack(line)}" for line in self.cause.lines[1:]), facts])
        blocks = [_section(f"{ICONS[self.cause.severity]} *{_slack(self.title)}*"), _section(body)]
        if self.cause.query:
            blocks.append(_section(f"```{_slack(self.cause.query)}```"))
        return {"text": self.title, "blocks": blocks}


RUN = "run"


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(text: str) -> dict[str, Any]:
    # Slack refuses a longer one.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:2900]}}


def causes(checks: Iterable[Check], problem: str = "") -> list[Cause]:
    """The causes of a run: each table once, whatever number of its checks failed.

    problem: what kept the run from its end, when no check says it.
    """
    by_table: dict[str, list[Check]] = {}
    for check in checks:
        if check.outcome in {"failed", "warned"}:
            by_table.setdefault(check.table, []).append(check)
    found = [_of_table(table, wrong) for table, wrong in by_table.items()]
    if problem and not any(c.severity == "failed" for c in found):
        found.append(Cause(RUN, "failed", (problem,)))
    return found


def _of_table(table: str, wrong: Sequence[Check]) -> Cause:
    # What could not be built comes first: its tests fail for that.
    order: Callable[[Check], tuple[bool, bool, float]] = lambda c: (  # noqa: E731
        c.kind in {"contract", "test"},
        c.outcome != "failed",
        -(c.measured or 0),
    )
    first, *others = sorted(wrong, key=order)
    lines = [_line(c) for c in (first, *others)]
    if len(lines) > LINES:
        lines = [*lines[:LINES], f"and {len(lines) - LINES} more"]
    severity: Severity = "failed" if any(c.outcome == "failed" for c in wrong) else "warned"
    return Cause(table, severity, tuple(lines), first.measured, first.query)


def _line(check: Check) -> str:
    place = f"{check.column}: " if check.column else ""
    measured = "" if check.measured is None else f" ({check.measured:,g})"
    detail = f", {check.detail}" if check.detail else ""
    return f"{place}{check.name}{measured}{detail}"
