"""Write a run to its branches, and verify it there by tests and contracts."""

import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cdp import spark, transform
from cdp.alerts import tell
from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.lineage import events as lineage
from cdp.plan import fingerprint
from cdp.plan.state import States
from cdp.publish import show
from cdp.publish.branch import on_branch
from cdp.publish.journal import Move, Run
from cdp.publish.patience import patiently
from cdp.publish.publisher import Publisher
from cdp.quality import contracts, dbt_tests, results, written
from cdp.quality.checks import Check, demand
from cdp.quality.contracts import Promise
from cdp.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a run came to.

    publish: the number of its publish; 0 when nothing had changed, or it is held.
    """

    run_id: str
    publish: int = 0
    changed: list[Move] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)


@dataclass(frozen=True)
class Audit:
    """What a run writes to its branches, verified by tests and contracts.

    Whatever fails is the run's failure: kept, shown, sent as an alert, and raised as a CdpError.

    rows: of the largest table, if that is known.
    """

    project: transform.Project
    publisher: Publisher
    recorded: Run
    outcome: Outcome
    settings: Settings
    say: Say
    rows: int | None = None

    def write(
        self,
        arguments: Sequence[str],
        report: transform.Report | None,
        listeners: Sequence[transform.Listener],
        job: lineage.Job,
    ) -> list[str]:
        """Have dbt build and test. The unique ids of the nodes that are well."""
        heard = job.heard()
        with self._guarded() as session:
            try:
                heard_by: list[transform.Listener] = [*listeners, heard] if heard else [*listeners]
                built = transform.build(self.project, arguments, report, heard_by)
            finally:
                job.tell_of_dbt(heard, self.project.target)
            self.outcome.checks += dbt_tests.checks(built, self.recorded.run_id, session)
        return [r.unique_id for r in built if r.status in transform.WELL]

    def verify(self) -> None:
        """Verify the contracts of what the run has written, and those that changed."""
        states, run_id = States(self.settings), self.recorded.run_id
        hashes = fingerprint.contracts(self.settings)
        known = patiently(states.load).contracts
        built = patiently(lambda: states.built(run_id))
        is_planned = built is not None and built.is_planned
        changed = {t for t, found in hashes.items() if is_planned and known.get(t) != found}
        with self._guarded() as session:
            promises = self._promises(session, changed)
            self.outcome.checks += contracts.verify(promises, session, run_id)
        if built:
            verified = {p.table: hashes[p.table] for p in promises}
            states.keep_built(run_id, replace(built, contracts=verified))
        self.publisher.journal.write(run_id, "audited")

    @contextmanager
    def _guarded(self) -> Iterator["SparkSession"]:
        """A session on the branches. What is checked in it is kept, and demanded."""
        run_id, before = self.recorded.run_id, len(self.outcome.checks)
        try:
            try:
                with on_branch(self.settings, run_id) as session:
                    if self.rows is not None:
                        spark.fit(session, self.rows, self.settings)
                    yield session
            finally:
                results.keep(run_id, self.outcome.checks[before:], self.settings)
            demand(self.outcome.checks)
        except CdpError as error:
            self.show()
            self.alert(error.problem)
            # What went wrong may be that the catalog is away: then the run stays as it is.
            with suppress(CdpError):
                self.publisher.journal.write(run_id, "failed", detail=error.problem)
            fix, is_final = f"{error.fix}; {show.look(run_id)}", error.is_final
            raise CdpError(error.problem, fix, is_told=True, is_final=is_final) from error

    def show(self) -> None:
        """A line for each check that was not passed, and one for the query that shows its rows."""
        for check in self.outcome.checks:
            if check.outcome in {"failed", "warned"}:
                self.say(f"  {check}")
                if check.query:
                    self.say(f"    cdp query {shlex.quote(check.query)}")

    def alert(self, problem: str = "") -> None:
        """Tell people what was found, and what is resolved."""
        run = self.outcome
        found = tell.Findings(run.run_id, run.checks, problem, self.project.owner)
        tell.after_run(found, self.settings, self.say)

    def _promises(self, session: "SparkSession", changed: Collection[str]) -> list[Promise]:
        """The contracts of what the run has changed, and of what it was built from.

        changed: the tables whose contract changed, which are verified whole.
        """
        catalog = Catalog(self.settings)
        run = self.recorded
        moves = {m.table: m for m in self.publisher.moves(run) if m.old != m.new}
        found = []
        for table, path in contracts.find(self.settings.contracts_dir).items():
            if table not in self.project.tables:
                if contracts.has_rows(catalog, table):
                    found.append(Promise(table, path, has_branch=False))
            elif table in changed:
                if catalog.load(table):
                    found.append(Promise(table, path))
            elif (move := moves.get(table)) and (state := catalog.load(table)):
                node = self.project.tables[table]
                rows = written.condition(node, state, move.old, run.run_id, session)
                found.append(Promise(table, path, rows))
        return found
