"""Plans, as people and programs read them."""

import shlex
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from cdp.plan.plan import Plan
from cdp.plan.state import Known

# How many of a list people are shown in one line.
MOST = 6


def nothing(known: Known) -> str:
    """A line that says that there is nothing to do."""
    return f"nothing new since {known.published}: no batch, no change of code"


def counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def listed(names: Sequence[str]) -> str:
    """Names in one line, the first of them where there are many."""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def summary(plan: Plan) -> str:
    """What is built and why, and how much is not, in one line."""
    reasons = list(dict.fromkeys(r for n in plan.nodes if n.is_root for r in n.reasons))
    built = f"{len(plan.nodes)} of {plan.tables} tables"
    parts = [f"building {built}" + (f" ({listed(reasons)})" if reasons else "")]
    if plan.tests:
        parts.append(f"{counted(len(plan.tests), 'test')} that did not run yet")
    if plan.contracts:
        parts.append(f"{counted(len(plan.contracts), 'contract')} changed")
    if rest := plan.tables - len(plan.nodes):
        parts.append(f"{rest} skipped: nothing new for them")
    return "; ".join(parts)


def command(plan: Plan, arguments: Sequence[str]) -> str:
    """The build of the plan, as people who use dbt alone would type it."""
    selected = ["--select", *plan.select] if plan.select else []
    return shlex.join(["dbt", "build", *selected, *arguments])


def reasons(plan: Plan, arguments: Sequence[str], console: Console) -> None:
    """Each node with its reasons, and the command."""
    lines = [(n.table, "; ".join(n.reasons)) for n in plan.nodes]
    lines += [(f"test {t.name}", "; ".join(t.reasons)) for t in plan.tests]
    lines += [(f"contract of {table}", "changed") for table in plan.contracts]
    width = max(len(name) for name, _ in lines)
    for name, why in lines:
        console.print(f"{name:{width}}  {why}", markup=False, soft_wrap=True)
    if plan.select:
        console.print(command(plan, arguments), markup=False, soft_wrap=True)


def as_json(plan: Plan, arguments: Sequence[str]) -> dict[str, Any]:
    """A plan for programs."""
    return {
        "nodes": [
            {"unique_id": n.unique_id, "table": n.table, "reasons": n.reasons} for n in plan.nodes
        ],
        "tests": [{"unique_id": t.unique_id, "reasons": t.reasons} for t in plan.tests],
        "contracts": plan.contracts,
        "skipped": plan.tables - len(plan.nodes),
        "select": plan.select,
        "command": command(plan, arguments) if plan.select else "",
    }
