"""The plan of a run: which nodes it builds, each with the reason. A pure function of what is known.

The rules, for people: docs/runs.md.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from cdp.catalog import State
from cdp.plan.graph import ALL, DataTest, Graph, Node
from cdp.plan.state import Batches, Fact, Known

# The operation of a snapshot that has other files, and the same rows.
REPLACE = "replace"
# What the summary of a snapshot counts when it adds or removes rows.
FILES = {"added-data-files", "deleted-data-files", "added-delete-files", "removed-delete-files"}
States = Mapping[str, State]


@dataclass(frozen=True)
class Lake:
    """What the catalog says now.

    tables: those of the project and the raw ones that are there, by name. batches: what is loaded,
    by source. contracts: the hash of each contract that has something to verify, by its table.
    """

    tables: States
    batches: Mapping[str, Batches] = field(default_factory=dict)
    contracts: Mapping[str, str] = field(default_factory=dict)

    def head(self, table: str) -> int | None:
        state = self.tables.get(table)
        return state.head() if state else None

    @property
    def rows(self) -> int:
        """The rows of the largest table."""
        return max((state.rows(state.head()) for state in self.tables.values()), default=0)

    def has_moved(self, table: str, since: int | None) -> bool:
        """Whether a table has other rows than a snapshot of before, as far as is known."""
        state = self.tables.get(table)
        each = state.head() if state else None
        if since is None or each is None:
            return each != since
        while state and each != since:
            snapshot = state.snapshots.get(each) or {}
            if not _has_the_same_rows(snapshot.get("summary", {})):
                return True
            each = int(snapshot.get("parent-snapshot-id") or -1)
        return each != since


def _has_the_same_rows(summary: Mapping[str, str]) -> bool:
    """Whether a snapshot has the rows of the one before it: a compaction, or a commit of nothing,
    which merges of nothing make. Without figures it is not known."""
    if summary.get("operation") == REPLACE:
        return True
    return summary.get("changed-partition-count") == "0" and not FILES & set(summary)


@dataclass(frozen=True)
class Planned:
    """A node that is built, or a test that runs by its name.

    is_root: whether it has a reason of its own, beside a table that it reads and that is built.
    """

    unique_id: str
    name: str
    table: str
    reasons: tuple[str, ...]
    is_root: bool


@dataclass(frozen=True)
class Plan:
    """What a run builds and verifies.

    select: the names that dbt is given, in its own words; none when dbt has nothing to do.
    tables: how many there are in all. contracts: tables whose contract changed.
    """

    nodes: tuple[Planned, ...] = ()
    tests: tuple[Planned, ...] = ()
    contracts: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    tables: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.nodes or self.tests or self.contracts)


@dataclass(frozen=True)
class Left:
    """What is left out: nodes by dbt's unique id, and whether tests are."""

    nodes: Collection[str] = ()
    tests: bool = False


def plan(graph: Graph, known: Known, lake: Lake, left: Left = Left()) -> Plan:
    """The nodes that are behind what they read, their code, or what was published of them."""
    built: dict[str, Planned] = {}
    names = {node.table: node.name for node in graph.nodes}
    for node in graph.nodes:
        if node.unique_id in left.nodes:
            continue
        fact = known.facts.get(node.unique_id)
        own = _reasons(node, fact, lake)
        feeding = [names[table] for table in node.reads if table in built]
        fed = [f"reads {', '.join(feeding)}"] if feeding else []
        if not own or own[0] not in ALONE:
            own += _moved(node.reads, fact, lake, names, built)
        if own or fed:
            reasons = tuple(own if own and own[0] in ALONE else [*own, *fed])
            built[node.table] = Planned(
                node.unique_id, node.name, node.table, reasons, is_root=bool(own)
            )
    tests = [] if left.tests else list(_tests(graph, known, lake, left, built))
    contracts = sorted(
        table for table, found in lake.contracts.items() if known.contracts.get(table) != found
    )
    nodes = tuple(built.values())
    select = (*_select(graph, nodes, left), *(t.name for t in tests))
    return Plan(nodes, tuple(tests), tuple(contracts), select, len(graph.nodes))


ABSENT, UNKNOWN = "its table is not there", "not known"
# What says all that there is to say.
ALONE = {ABSENT, UNKNOWN}


def _reasons(node: Node, fact: Fact | None, lake: Lake) -> list[str]:
    """Why a node is built for its own sake, whatever becomes of what it reads."""
    if lake.head(node.table) is None:
        return [ABSENT]
    if fact is None:
        return [UNKNOWN]
    found = []
    if fact.checksum != node.checksum:
        found.append("seed changed" if node.kind == "seed" else "code changed")
    if lake.has_moved(node.table, fact.snapshot):
        found.append("written to since")
    for source, batches in lake.batches.items():
        if batches.table in node.raw or ALL in node.raw:
            was = fact.batches.get(source, 0)
            if was != batches.last:
                found.append(_news(source, was, batches.last))
    return found


def _news(source: str, was: int, now: int) -> str:
    if now < was:
        return f"{source}: loaded again, up to batch {now}"
    return f"{source}: " + (f"batch {now}" if now == was + 1 else f"batches {was + 1} to {now}")


def _moved(
    reads: Sequence[str],
    fact: Fact | None,
    lake: Lake,
    names: Mapping[str, str],
    built: Collection[str],
) -> list[str]:
    """Tables that are not built, and are at another snapshot than the one that was read."""
    return [
        f"{names.get(table, table)} has changed"
        for table in reads
        if table not in built
        and (fact is None or table not in fact.read or lake.has_moved(table, fact.read[table]))
    ]


def _tests(
    graph: Graph, known: Known, lake: Lake, left: Left, built: Mapping[str, Planned]
) -> list[Planned]:
    """Tests that no table brings with it, and that have not passed on what is published."""
    names = {node.table: node.name for node in graph.nodes}
    out = {node.table for node in graph.nodes if node.unique_id in left.nodes}
    found = []
    for test in graph.tests:
        # What is left out may be behind; its tests wait for it.
        if test.unique_id in left.nodes or any(
            table in built or table in out for table in test.reads
        ):
            continue
        if reason := _untested(test, known.facts.get(test.unique_id), lake, names):
            found.append(Planned(test.unique_id, test.name, "", (reason,), is_root=True))
    return found


def _untested(test: DataTest, fact: Fact | None, lake: Lake, names: Mapping[str, str]) -> str:
    if fact is None:
        return "it has not run yet"
    if fact.checksum != test.checksum:
        return "the test changed"
    moved = _moved(test.reads, fact, lake, names, ())
    return f"it has not run since {moved[0]}" if moved else ""


def _select(graph: Graph, nodes: Sequence[Planned], left: Left) -> tuple[str, ...]:
    """The nodes in dbt's words: each root with all that follows it, where that is the plan."""
    built = {node.table for node in nodes}
    roots = {node.table for node in nodes if node.is_root}
    reached = set(roots)
    for node in graph.nodes:
        if any(table in reached for table in node.reads):
            reached.add(node.table)
    out = {node.table for node in graph.nodes if node.unique_id in left.nodes}
    if reached - out == built:
        # A root that follows another one need not be named.
        first = _first(graph, roots)
        return tuple(f"{node.name}+" for node in nodes if node.table in first)
    named = [node.name for node in nodes]
    named += [e.name for e in graph.ephemerals if any(table in built for table in e.reads)]
    return tuple(named)


def _first(graph: Graph, roots: Collection[str]) -> set[str]:
    """The roots that follow no other one."""
    after: set[str] = set()
    for node in graph.nodes:
        if any(table in roots or table in after for table in node.reads):
            after.add(node.table)
    return set(roots) - after
