"""What a run of `bench.transform` has measured, and its tables in docs/benchmarks.md."""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench.page import table, write
from bench.peers import TWO, Seconds
from bench.spark_events import Cost
from bench.telco import Size

DAY_LIMIT, HOUR_LIMIT, DOUBLE_LIMIT = 0.10, 0.05, 1.3
# Which nodes lead to the two marts that the peers compute.
SHARED = (
    "base_crm_customers",
    "int_customers__latest",
    "dim_customers",
    "base_usage_events",
    "int_usage_daily",
    "fct_usage_daily",
)

# What is left out besides, in what is built after each delivery.
STEPS: dict[str, list[str]] = {
    "full": [],
    "day": [],
    # A day that is an as-of date, and so has a new row for every customer.
    "as-of day": [],
    "hour": ["tag:daily"],
}

# From when to when a node ran.
Span = tuple[datetime, datetime]


def covered(spans: Iterable[Span]) -> float:
    """Seconds in which at least one of them was under way."""
    seconds, until = 0.0, datetime.min.replace(tzinfo=UTC)
    for start, end in sorted(spans):
        seconds += max((end - max(start, until)).total_seconds(), 0)
        until = max(until, end)
    return seconds


LAYERS = {
    "base": "staging",
    "stg": "staging",
    "int": "intermediate",
    "customers": "intermediate",
    "dim": "marts",
    "fct": "marts",
    "ftr": "marts",
    "agg": "marts",
    "mon": "monitoring",
}


def layer(node: str) -> str:
    """The layer of a node as dbt's comment names it; statements without one are those of checks."""
    if not node:
        return "contracts"
    # A generic test has a hash behind its name.
    return "data tests" if "." in node else LAYERS.get(node.partition("_")[0], "data tests")


def by_layer(costs: dict[str, Cost]) -> list[list[str]]:
    """A row for each layer, and one for all: scans, million rows, MB, and CPU seconds of tasks."""
    found = {name: [0.0] * 6 for name in (*dict.fromkeys(LAYERS.values()), "data tests")}
    for node, cost in costs.items():
        figures = (
            sum(cost.scans.values()),
            cost.rows_read / 1e6,
            cost.rows_shuffled / 1e6,
            cost.bytes_shuffled / 1e6,
            cost.rows_written / 1e6,
            cost.cpu_seconds,
        )
        for name in (layer(node), "all"):
            so_far = found.setdefault(name, [0.0] * 6)
            found[name] = [a + b for a, b in zip(so_far, figures, strict=True)]
    return [
        [name, f"{scans:.0f}", *(f"{each:,.1f}" for each in rows), f"{cpu:,.0f}"]
        for name, (scans, *rows, cpu) in found.items()
    ]


@dataclass
class Run:
    """Seconds of one size: of each step, of its nodes, and of the peers."""

    size: Size
    seconds: dict[str, float] = field(default_factory=dict)
    nodes: dict[str, dict[str, Span]] = field(default_factory=dict)
    peers: dict[str, Seconds] = field(default_factory=dict)
    costs: dict[str, dict[str, Cost]] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    published: dict[str, int] = field(default_factory=dict)

    def ratio(self, step: str) -> float:
        return self.seconds[step] / self.seconds["full"]

    def shared(self, step: str) -> float:
        """Seconds in which the nodes were built that lead to the two marts of the peers."""
        return covered(span for name, span in self.nodes[step].items() if name in SHARED)


def report(half: Run, whole: Run, others: list[Run]) -> None:
    runs = [whole, *others]
    limits = {"day": DAY_LIMIT, "as-of day": DAY_LIMIT, "hour": HOUR_LIMIT}
    costs = [
        [
            f"{r.size.customers:,}",
            f"{r.size.events_a_customer * r.size.customers / 1e6:,.0f}",
            *(f"{r.seconds[step]:,.0f}" for step in STEPS),
            *(f"{100 * r.ratio(step):.1f} %" for step in limits),
        ]
        for r in runs
    ]
    doubled = [
        [
            step,
            f"{half.seconds[step]:.0f}",
            f"{whole.seconds[step]:.0f}",
            f"{whole.seconds[step] / half.seconds[step]:.2f}",
        ]
        for step in STEPS
    ]
    peers = [
        [
            f"{r.size.customers:,}",
            f"{r.shared('full'):,.0f}",
            f"{r.shared('day'):,.0f}",
            *(f"{sum(seconds[name] for name in TWO):,.0f}" for seconds in r.peers.values()),
        ]
        for r in runs
    ]
    six = [
        [
            f"{r.size.customers:,}",
            f"{r.seconds['full']:,.0f}",
            *(
                text
                for seconds in r.peers.values()
                for total in [sum(seconds.values())]
                for text in (f"{total:,.0f}", f"{r.seconds['full'] / total:.1f}")
            ),
        ]
        for r in runs
    ]
    readings = [
        [
            f"{r.size.customers:,}, {step}",
            f"{sum(c.cpu_seconds for c in nodes.values()):,.0f}",
            f"{sum(c.rows_read for c in nodes.values()) / 1e6:,.1f}",
            f"{sum(c.rows_shuffled for c in nodes.values()) / 1e6:,.1f}",
            f"{r.written[step] / 1e6:,.0f}",
            f"{r.published[step] / 1e6:,.0f}",
            f"{r.written[step] / r.published[step]:.2f}",
        ]
        for r in runs
        for step, nodes in r.costs.items()
    ]
    scans: Counter[str] = Counter()
    for cost in whole.costs["full"].values():
        scans.update(cost.scans)
    change = f"{whole.size.changed:,} customers and {whole.size.events:,} events"
    write(
        "transform",
        table(
            [
                "customers",
                "million events",
                *(f"{step}, s" for step in STEPS),
                *(f"{step} by full" for step in limits),
            ],
            costs,
        ),
        f"Of a full build a day may cost {100 * DAY_LIMIT:.0f} %, the hour "
        f"{100 * HOUR_LIMIT:.0f} %. All with their data tests.",
        table(
            [
                "customers, step",
                "CPU s of tasks",
                "million rows read",
                "shuffled",
                "MB written",
                "MB published",
                "written by published",
            ],
            readings,
        ),
        table(
            [
                f"a full build of {whole.size.customers:,}",
                "scans",
                "million rows read",
                "shuffled",
                "MB shuffled",
                "million rows written",
                "CPU s of tasks",
            ],
            by_layer(whole.costs["full"]),
        ),
        table(
            ["scans in a full build of", "times"],
            [[f"`{name}`", str(times)] for name, times in scans.most_common(12)],
        ),
        table(
            [
                f"the same change: {change}",
                f"of {half.size.customers:,}, s",
                f"of {whole.size.customers:,}, s",
                "ratio",
            ],
            doubled,
        ),
        f"A day may cost {DOUBLE_LIMIT} times as much in a table twice as large, unless it is an "
        "as-of date, which has a row for every customer.",
        table(
            [
                "`dim_customers` and `fct_usage_daily` of",
                "here, from nothing, s",
                "here, the day, s",
                "PySpark, s",
                "DuckDB, s",
            ],
            peers,
        ),
        table(
            [
                "six marts, features and labels among them, of",
                "full build here, s",
                "PySpark, s",
                "here by PySpark",
                "DuckDB, s",
                "here by DuckDB",
            ],
            six,
        ),
        "Peers do all of it again each day, and nothing else. Here it is the time in which models "
        "that lead to the two marts are built, beside other models and tests on the same cores.",
    )
    late = [
        f"{step} of {r.size.customers:,}: {r.ratio(step):.3f}, limit {limit}"
        for r in runs
        for step, limit in limits.items()
        if r.ratio(step) > limit
    ]
    ratio = whole.seconds["day"] / half.seconds["day"]
    late += [f"doubled: {ratio:.2f}, limit {DOUBLE_LIMIT}"] if ratio > DOUBLE_LIMIT else []
    if late:
        sys.exit("\n".join(late))
