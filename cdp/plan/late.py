"""Sources that are late, where no run verifies their contracts: from the record of batches."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cdp.plan.state import Batches
from cdp.quality.checks import Check

COLUMN = "_landed_at"
# What Soda calls the check, unless the contract does.
NAME = "Data is fresh"
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def checks(
    contracts: Path, batches: Mapping[str, Batches], now: datetime | None = None
) -> list[Check]:
    """The freshness checks of the raw tables that have rows, evaluated as Soda does it.

    contracts: the folder. now: the moment, UTC; this one by default.
    """
    import yaml

    moment = now or datetime.now(UTC)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = []
    for each in batches.values():
        path = contracts / f"{each.table.replace('.', '/')}.yml"
        if each.landed_at and path.exists():
            given = yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506 - it is safe
            age = (moment - datetime.fromisoformat(each.landed_at)).total_seconds()
            found += [_check(each.table, rule, age) for rule in _rules(given or {})]
    return found


def _rules(contract: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for check in contract.get("checks") or []:
        if (rule := check.get("freshness")) and rule.get("column") == COLUMN:
            yield rule


def _check(table: str, rule: Mapping[str, Any], age: float) -> Check:
    threshold = rule.get("threshold") or {}
    measured = age / SECONDS[rule.get("unit") or "hour"]
    is_late = False
    if (most := threshold.get("must_be_less_than")) is not None:
        is_late = measured >= most
    if (most := threshold.get("must_be_less_than_or_equal")) is not None:
        is_late = is_late or measured > most
    outcome = "warned" if threshold.get("level") == "warn" else "failed"
    return Check(
        table,
        "",
        rule.get("name") or NAME,
        "contract",
        outcome if is_late else "passed",  # type: ignore[arg-type]
        measured,
    )
