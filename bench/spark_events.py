"""Reads from Spark's event log what each dbt node has cost, and which tables it has scanned."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The comment of dbt_project.yml's query-comment, as Spark Connect's plan quotes it.
COMMENT = re.compile(r'run_id[\\"]*: [\\"]*(\w*)[\\", ]*node_id[\\"]*: [\\"]*([\w.]*)')


@dataclass
class Cost:
    """What the tasks of a node's statements have used, and how often each table was scanned."""

    cpu_seconds: float = 0.0
    rows_read: int = 0
    bytes_read: int = 0
    rows_shuffled: int = 0
    bytes_shuffled: int = 0
    rows_written: int = 0
    scans: Counter[str] = field(default_factory=Counter)

    def add(self, metrics: dict[str, Any]) -> None:
        """Add a task's metrics."""
        read, shuffled = metrics["Input Metrics"], metrics["Shuffle Write Metrics"]
        self.cpu_seconds += metrics["Executor CPU Time"] / 1e9
        self.rows_read += read["Records Read"]
        self.bytes_read += read["Bytes Read"]
        self.rows_shuffled += shuffled["Shuffle Records Written"]
        self.bytes_shuffled += shuffled["Shuffle Bytes Written"]
        self.rows_written += metrics["Output Metrics"]["Records Written"]


def options(folder: Path) -> str:
    """Return the options of Java by which Spark writes its event log to a folder."""
    return (
        "-Dspark.eventLog.enabled=true -Dspark.eventLog.compress=false "
        f"-Dspark.eventLog.dir=file://{folder}"
    )


def costs(folder: Path) -> dict[str, dict[str, Cost]]:
    """Return the costs by run and node, runs in the order in which they began.

    Statements without a comment are under empty names: those of checks, and of loads. Scans are
    those of a plan as it ended, after Spark has found what it need not do twice.
    """
    found: dict[str, dict[str, Cost]] = defaultdict(lambda: defaultdict(Cost))
    nodes: dict[str, tuple[str, str]] = {}
    plans: dict[str, dict[str, Any]] = {}
    stages: dict[int, tuple[str, str]] = {}
    for event in _events(folder):
        kind = event["Event"].rpartition(".")[2]
        if kind == "SparkListenerSQLExecutionStart":
            run, node = _node(event)
            nodes[str(event["executionId"])] = run, node
            plans[str(event["executionId"])] = event["sparkPlanInfo"]
        elif kind == "SparkListenerSQLAdaptiveExecutionUpdate":
            plans[str(event["executionId"])] = event["sparkPlanInfo"]
        elif kind == "SparkListenerJobStart":
            execution = event["Properties"].get("spark.sql.execution.id", "")
            for stage in event["Stage IDs"]:
                stages.setdefault(stage, nodes.get(execution, ("", "")))
        elif kind == "SparkListenerTaskEnd" and event.get("Task Metrics"):
            run, node = stages.get(event["Stage ID"], ("", ""))
            found[run][node].add(event["Task Metrics"])
    for execution, plan in plans.items():
        run, node = nodes[execution]
        found[run][node].scans.update(_scanned(plan))
    return found


def _events(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob("eventlog_*/events_*")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def _node(event: dict[str, Any]) -> tuple[str, str]:
    """Return the run and the node of a statement, without project and type."""
    match = COMMENT.search(event.get("details", ""))
    return (match[1], match[2].split(".", 2)[-1]) if match else ("", "")


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    """Yield the table of each scan in a plan, without its catalog."""
    name = plan["nodeName"]
    if name.startswith("BatchScan "):
        yield name.split()[1].partition(".")[2]
    for child in plan["children"]:
        yield from _scanned(child)
