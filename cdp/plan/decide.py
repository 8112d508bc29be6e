"""What a run has to do, from the state, the catalog and the files of the project."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from cdp.catalog import Catalog, State
from cdp.plan import fingerprint
from cdp.plan.asked import Asked
from cdp.plan.graph import ALL, Graph
from cdp.plan.plan import Lake, Left, Plan, plan
from cdp.plan.state import Built, Fact, Known, States
from cdp.publish import journal
from cdp.publish.patience import patiently
from cdp.settings import Settings

LANDED = "monitoring.mon_landed_batches"
RAW = "raw."
AT_ONCE = 8


@dataclass(frozen=True)
class Decision:
    """What is known, what the catalog says, and what follows.

    known: the state, brought up to date but for facts. plan: None where everything runs that is
    asked for. is_settled: whether no publish can have been interrupted since the state was kept.
    """

    known: Known
    lake: Lake
    plan: Plan | None
    is_settled: bool
    is_kept: bool

    @property
    def is_nothing(self) -> bool:
        return self.plan is not None and self.plan.is_empty

    def built(self, well: Sequence[str]) -> Built:
        """What a run has built and tested well, by dbt's unique ids."""
        graph, done = self.known.graph, set(well)
        ran, reads, tables = {}, {}, {}
        for node in graph.nodes:
            if node.unique_id in done:
                batches = {
                    source: each.last
                    for source, each in self.lake.batches.items()
                    if each.table in node.raw or ALL in node.raw
                }
                ran[node.unique_id] = Fact(node.checksum, batches=batches)
                reads[node.unique_id] = node.reads
                tables[node.unique_id] = node.table
        for test in graph.tests:
            if test.unique_id in done:
                ran[test.unique_id] = Fact(test.checksum)
                reads[test.unique_id] = test.reads
        return Built(ran, reads, tables)


class Decider:
    """Decides, first without dbt, and with its graph where the project has changed."""

    def __init__(self, asked: Asked, target: str, settings: Settings) -> None:
        self.asked = asked
        self.settings = settings
        self.states = States(settings)
        self._catalog = Catalog(settings)
        self._print = fingerprint.fingerprint(settings, target)

    def quick(self) -> Decision | None:
        """The decision, without dbt; None when dbt has to read the project or its words."""
        known = patiently(self.states.load)
        if known.fingerprint != self._print:
            return None
        left = self.asked.left(known.graph)
        return None if left is None else self._decide(known, left)

    def whole(self, graph: Callable[[], Graph], excluded: Callable[[], set[str]]) -> Decision:
        """The decision, by dbt's graph where that of the state is of other files.

        excluded: the nodes that the words of `--exclude` name, as dbt understands them.
        """
        known = patiently(self.states.load)
        if known.fingerprint != self._print:
            known = replace(known, graph=graph(), fingerprint=self._print)
        left = self.asked.left(known.graph)
        if left is None:
            without = replace(self.asked, excluded=()).left(known.graph) or Left()
            left = Left(frozenset(without.nodes) | excluded(), without.tests)
        return self._decide(known, left)

    def _decide(self, known: Known, left: Left) -> Decision:
        before = known
        contracts = fingerprint.contracts(self.settings)
        tables = {n.table for n in known.graph.nodes} | {c for c in contracts if c.startswith(RAW)}
        states = self._load([*sorted(tables), LANDED, journal.TABLE])
        landed = _head(states, LANDED)
        if landed != known.seen.at:
            from cdp.plan import batches

            found = batches.read(self.settings) if landed is not None else {}
            known = replace(known, seen=replace(known.seen, at=landed, batches=found))
        verifiable = {
            table: found
            for table, found in contracts.items()
            if (state := states.get(table)) and (state.rows(state.head()) or RAW not in table)
        }
        lake = Lake(states, known.seen.batches, verifiable)
        made = plan(known.graph, known, lake, left) if self.asked.is_planned else None
        is_settled = _head(states, journal.TABLE) == known.seen.journal
        return Decision(known, lake, made, is_settled, known == before)

    def keep(self, known: Known) -> None:
        """Keep the state, with the journal as it is now: nothing is interrupted."""
        head = self._load([journal.TABLE])
        seen = replace(known.seen, journal=_head(head, journal.TABLE))
        self.states.keep(replace(known, seen=seen))

    def _load(self, tables: Sequence[str]) -> Mapping[str, State]:
        def load() -> dict[str, State]:
            # One token for all of them.
            self._catalog.connect()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                found = filter(None, pool.map(self._catalog.load, tables))
                return {state.name: state for state in found}

        return patiently(load)


def _head(states: Mapping[str, State], table: str) -> int | None:
    state = states.get(table)
    return state.head() if state else None
