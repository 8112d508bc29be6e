"""`cdp build`: one run, written to branches, audited there, and published whole or not at all."""

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cdp import spark, transform
from cdp.alerts import tell
from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.publish import lease
from cdp.publish.journal import Move, Run
from cdp.publish.publisher import Publisher, new_id, tag
from cdp.quality import contracts, dbt_tests, results, written
from cdp.quality.checks import Check, demand
from cdp.quality.contracts import Promise
from cdp.settings import Settings
from cdp.stack.probes import require

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What a session with Spark reads its branch from, and the project's macros.
BRANCH, VARIABLE = "spark.wap.branch", "CDP_RUN_BRANCH"
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
class Build:
    """A build on a branch of every table, its audit there, and its publish.

    arguments: dbt's. report: receives a line a node, in place of dbt's own output.
    hold: leave it unpublished, for `cdp publish`. wait: seconds for another run to end.
    """

    arguments: Sequence[str]
    settings: Settings
    say: Say
    report: Say | None = None
    hold: bool = False
    wait: float = 0

    def run(self) -> Outcome:
        """Raises CdpError when anything fails: readers see nothing of the run then."""
        require("Spark", self.settings.spark_url)
        project = transform.parse(self.arguments, self.settings)
        if project.target == "ci":
            # Its schemas are its own, and go with it: there is nobody to keep anything from.
            return self._aside(project)
        outcome = Outcome(new_id())
        what = f"build {outcome.run_id}"
        with lease.held(self.settings, what, self.wait, self.say) as held:
            publisher = Publisher(self.settings)
            publisher.recover(self.say)
            run = Run(outcome.run_id)
            run.begun = publisher.begin(run.run_id, sorted(project.tables))
            try:
                self._audit(project, publisher, run, outcome)
            except CdpError as error:
                self._show(outcome.checks)
                self._alert(project, outcome, error.problem)
                # What went wrong may be that the catalog is away: then the run stays `begun`.
                with suppress(CdpError):
                    publisher.journal.write(run.run_id, "failed", detail=error.problem)
                raise CdpError(error.problem, f"{error.fix}; {_look(run.run_id)}") from error
            publisher.journal.write(run.run_id, "audited")
            if self.hold:
                self.say(f"{run.run_id} is audited and held; {_look(run.run_id)}")
                return outcome
            self._show(outcome.checks)
            held.check()
            outcome.publish, outcome.changed = publisher.publish(run)
        self._alert(project, outcome)
        if transform.publishes(self.arguments, project.target):
            transform.keep_manifest(self.settings)
        self.say(told(outcome.publish, outcome.changed))
        return outcome

    def _show(self, checks: Sequence[Check]) -> None:
        """A line for each check that was not passed, and one for the query that shows its rows."""
        for check in checks:
            if check.outcome in {"failed", "warned"}:
                self.say(f"  {check}")
                if check.query:
                    self.say(f"    cdp query {shlex.quote(check.query)}")

    def _alert(self, project: transform.Project, outcome: Outcome, problem: str = "") -> None:
        found = tell.Findings(outcome.run_id, outcome.checks, problem, project.owner)
        tell.after_run(found, self.settings, self.say)

    def _aside(self, project: transform.Project) -> Outcome:
        """Build and test without a branch."""
        session = spark.connect(self.settings)
        found = dbt_tests.checks(transform.build(project, self.arguments, self.report), "", session)
        demand(found)
        return Outcome("", checks=found)

    def _audit(
        self, project: transform.Project, publisher: Publisher, run: Run, outcome: Outcome
    ) -> None:
        """Build and check on the branch. Raises CdpError when something fails."""
        try:
            with on_branch(self.settings, run.run_id) as session:
                built = transform.build(project, self.arguments, self.report)
                outcome.checks = dbt_tests.checks(built, run.run_id, session)
                demand(outcome.checks)
                promises = self._promises(project, publisher, run, session)
                outcome.checks += contracts.verify(promises, session, run.run_id)
        finally:
            results.keep(run.run_id, outcome.checks, self.settings)
        demand(outcome.checks)

    def _promises(
        self, project: transform.Project, publisher: Publisher, run: Run, session: "SparkSession"
    ) -> list[Promise]:
        """The contracts of what the run has changed, and of what it was built from."""
        catalog = Catalog(self.settings)
        moves = {m.table: m for m in publisher.moves(run) if m.old != m.new}
        found = []
        for table, path in contracts.find(self.settings.contracts_dir).items():
            if table not in project.tables:
                if contracts.has_rows(catalog, table):
                    found.append(Promise(table, path))
            elif (move := moves.get(table)) and (state := catalog.load(table)):
                node = project.tables[table]
                rows = written.condition(node, state, move.old, run.run_id, session)
                found.append(Promise(table, path, rows))
        return found


@contextmanager
def on_branch(settings: Settings, run_id: str) -> Iterator["SparkSession"]:
    """A session with Spark whose tables are those of a run's branches, where they are versioned
    by run. A session of before would not know the branches: it keeps tables as it found them."""
    spark.disconnect(settings)
    session = spark.connect(settings)
    session.conf.set(BRANCH, run_id)
    os.environ[VARIABLE] = run_id
    try:
        yield session
    finally:
        del os.environ[VARIABLE]
        spark.disconnect(settings)


def _look(run_id: str) -> str:
    return (
        f"cdp diff {run_id} shows its rows, and so does a query for version as of '{run_id}'; "
        f"cdp discard {run_id} removes it"
    )


def told(publish: int, changed: Sequence[Move]) -> str:
    """A line for people about a publish."""
    if not publish:
        return "nothing has changed: there is nothing to publish"
    tables = "1 table" if len(changed) == 1 else f"{len(changed)} tables"
    return f"published as {tag(publish)}: {tables} changed"


def publish(run_id: str, settings: Settings, say: Say) -> None:
    """Publish a run that is held."""
    with lease.held(settings, f"publish {run_id}", say=say):
        publisher = Publisher(settings)
        publisher.recover(say)
        run = publisher.run(run_id)
        if run.state != "audited":
            raise CdpError(
                f"{run_id} is {run.state}: only a run that is audited and held can be published",
                "cdp build makes a new one",
            )
        number, changed = publisher.publish(run)
    say(told(number, changed))


def rollback(to: int | None, settings: Settings, say: Say) -> None:
    """Move main of every table to where a publish left it."""
    with lease.held(settings, "rollback", say=say):
        publisher = Publisher(settings)
        publisher.recover(say)
        number, back_to, changed = publisher.rollback(to)
    say(f"back to {tag(back_to)}: {told(number, changed)}")


def discard(run_id: str, settings: Settings, say: Say) -> None:
    """Remove what a run has written and that was not published."""
    with lease.held(settings, f"discard {run_id}", say=say):
        publisher = Publisher(settings)
        publisher.recover(say)
        publisher.discard(publisher.run(run_id))
    say(f"{run_id} is discarded")
