"""What expected.json holds: the numbers of all chunks, added."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

# Metrics of a log, by its name: exact decimals as text.
Counts = dict[str, dict[str, str]]
BROKEN = ("truncated", "garbage", "missing_key")


def of_chunk(rows: Iterable[Any]) -> Counts:
    """The rows of sql/counts.sql, each a log and a map of metrics, as JSON can hold them."""
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        for metric, value in row["counts"].items():
            found[row["log"]][metric] += value or 0
    return {log: {m: str(v) for m, v in metrics.items()} for log, metrics in found.items()}


def total(chunks: Iterable[Counts]) -> dict[str, Any]:
    """All chunks together: counts as whole numbers, sums as exact decimals in text."""
    totals: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for counts in chunks:
        for log, metrics in counts.items():
            for metric, value in metrics.items():
                totals[log][metric] += Decimal(value)
    return {log: _of_log(metrics) for log, metrics in sorted(totals.items())}


def _of_log(metrics: dict[str, Decimal]) -> dict[str, Any]:
    kinds = {m.removeprefix("kind:"): int(v) for m, v in metrics.items() if m.startswith("kind:")}
    found: dict[str, Any] = {
        metric: str(value) if metric.startswith("sum_") else int(value)
        for metric, value in metrics.items()
        if not metric.startswith("kind:")
    }
    if "lines" in found:
        found["lines_landed"] = found["lines"] - found["lines_broken"]
        found["rows_sent"] = sum(kinds.values())
        found["rows_landed"] = found["rows_sent"] - sum(kinds.get(k, 0) for k in BROKEN)
        found["rows_by_kind"] = dict(sorted(kinds.items()))
    return dict(sorted(found.items()))
