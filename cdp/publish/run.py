"""`cdp build`: one run, written to branches, audited there, and published whole or not at all."""

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cdp import log, spark, transform
from cdp.alerts import tell
from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.lineage import events as lineage
from cdp.publish import lease, show
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
# Each snapshot that a run makes says so in its summary.
SUMMARY = "spark.sql.iceberg.snapshot-property.run-id"
Say = Callable[[str], None]
Until = Literal["written", "audited", "published"]


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

    arguments: dbt's. report: receives each node of dbt's, in place of dbt's own output.
    until: where it stops, for `cdp audit` or `cdp publish` to go on. wait: seconds for another run
    to end.
    """

    arguments: Sequence[str]
    settings: Settings
    say: Say
    report: transform.Report | None = None
    until: Until = "published"
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
        with (
            log.about(run_id=outcome.run_id),
            lease.held(self.settings, what, self.wait, self.say) as held,
            lineage.job("build", outcome.run_id, self.settings, self.say) as job,
        ):
            publisher = Publisher(self.settings)
            publisher.recover(self.say)
            run = Run(outcome.run_id)
            run.begun = publisher.begin(run.run_id, sorted(project.tables))
            audit = Audit(project, publisher, run, outcome, self.settings, self.say)
            audit.write(self.arguments, self.report, job)
            if self.until == "written":
                publisher.journal.write(run.run_id, "written")
                self.say(f"{run.run_id} is written; next: cdp audit {run.run_id}")
                return outcome
            audit.verify()
            if self.until == "audited":
                self.say(f"{run.run_id} is audited and held; {show.look(run.run_id)}")
                return outcome
            audit.show()
            held.check()
            outcome.publish, outcome.changed = publisher.publish(run)
            job.outputs = outcome.changed
            audit.alert()
            if transform.publishes(self.arguments, project.target):
                transform.keep_manifest(self.settings)
            _tell(outcome.publish, outcome.changed, self.say)
        return outcome

    def _aside(self, project: transform.Project) -> Outcome:
        """Build and test without a branch."""
        session = spark.connect(self.settings)
        found = dbt_tests.checks(transform.build(project, self.arguments, self.report), "", session)
        demand(found)
        return Outcome("", checks=found)


@dataclass(frozen=True)
class Audit:
    """What a run writes to its branches, held against tests and contracts.

    Whatever fails is the run's failure: it is kept, shown and told, and raised as a CdpError.
    """

    project: transform.Project
    publisher: Publisher
    recorded: Run
    outcome: Outcome
    settings: Settings
    say: Say

    def write(
        self, arguments: Sequence[str], report: transform.Report | None, job: lineage.Job
    ) -> None:
        """Have dbt build and test."""
        heard = job.heard()
        with self._guarded() as session:
            try:
                built = transform.build(self.project, arguments, report, heard)
            finally:
                job.tell_of_dbt(heard, self.project.target)
            self.outcome.checks += dbt_tests.checks(built, self.recorded.run_id, session)

    def verify(self) -> None:
        """Verify the contracts of what the run has written."""
        with self._guarded() as session:
            promises = self._promises(session)
            self.outcome.checks += contracts.verify(promises, session, self.recorded.run_id)
        self.publisher.journal.write(self.recorded.run_id, "audited")

    @contextmanager
    def _guarded(self) -> Iterator["SparkSession"]:
        """A session on the branches. What is checked in it is kept, and demanded."""
        run_id, before = self.recorded.run_id, len(self.outcome.checks)
        try:
            try:
                with on_branch(self.settings, run_id) as session:
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

    def _promises(self, session: "SparkSession") -> list[Promise]:
        """The contracts of what the run has changed, and of what it was built from."""
        catalog = Catalog(self.settings)
        run = self.recorded
        moves = {m.table: m for m in self.publisher.moves(run) if m.old != m.new}
        found = []
        for table, path in contracts.find(self.settings.contracts_dir).items():
            if table not in self.project.tables:
                if contracts.has_rows(catalog, table):
                    found.append(Promise(table, path, has_branch=False))
            elif (move := moves.get(table)) and (state := catalog.load(table)):
                node = self.project.tables[table]
                rows = written.condition(node, state, move.old, run.run_id, session)
                found.append(Promise(table, path, rows))
        return found


@contextmanager
def on_branch(settings: Settings, run_id: str) -> Iterator["SparkSession"]:
    """A session with Spark whose tables are those of a run's branches, where they are versioned
    by run. A session of before would not know the branches: it keeps tables as it found them.

    Nobody can begin another in its place. dbt would, when Spark has been started again, and a new
    session knows no branch: it writes to main. Raises CdpError when the session was lost.
    """
    from pyspark.errors import PySparkException

    fix = "cdp build makes a new run; spark.log may say why"
    lost = CdpError(f"the session with Spark was lost while {run_id} was written or audited", fix)
    spark.disconnect(settings)
    session = spark.connect(settings)
    try:
        session.conf.set(BRANCH, run_id)
        session.conf.set(SUMMARY, run_id)
        os.environ[VARIABLE] = run_id
        with spark.no_other_session():
            yield session
        # dbt tells of what failed, and does not raise it.
        if session.is_stopped:
            raise lost
    except PySparkException as error:
        problem = f"Spark: {str(error).strip().splitlines()[0]}"
        raise (lost if session.is_stopped else CdpError(problem, fix)) from error
    finally:
        os.environ.pop(VARIABLE, None)
        spark.disconnect(settings)


def audit(run_id: str, settings: Settings, say: Say) -> None:
    """Verify what a run has written, and leave it for `cdp publish`."""
    require("Spark", settings.spark_url)
    project = transform.parse([], settings)
    with (
        log.about(run_id=run_id),
        lease.held(settings, f"audit {run_id}", say=say),
        lineage.job("audit", run_id, settings, say),
    ):
        publisher = Publisher(settings)
        publisher.recover(say)
        found = publisher.run(run_id)
        if found.state not in {"written", "audited"}:
            raise CdpError(
                f"{run_id} is {found.state}: only a run that is written can be audited",
                "cdp build makes a new one",
            )
        # What dbt has found belongs to the run, too.
        outcome = Outcome(run_id, checks=results.read(run_id, settings))
        auditing = Audit(project, publisher, found, outcome, settings, say)
        auditing.verify()
        auditing.show()
        auditing.alert()
        say(f"{run_id} is audited; next: cdp publish {run_id}")


def publish(run_id: str, settings: Settings, say: Say) -> None:
    """Publish a run that is held."""
    with (
        log.about(run_id=run_id),
        lease.held(settings, f"publish {run_id}", say=say),
        lineage.job("publish", run_id, settings, say) as job,
    ):
        publisher = Publisher(settings)
        publisher.recover(say)
        run = publisher.run(run_id)
        if run.state != "audited":
            raise CdpError(
                f"{run_id} is {run.state}: only a run that is audited and held can be published",
                "cdp build makes a new one",
            )
        number, job.outputs = publisher.publish(run)
        _tell(number, job.outputs, say)


def _tell(number: int, changed: Sequence[Move], say: Say) -> None:
    with log.about(publish=number, tables=[move.table for move in changed]):
        say(show.published(number, changed))


def rollback(to: int | None, settings: Settings, say: Say) -> None:
    """Move main of every table to where a publish left it."""
    with lease.held(settings, "rollback", say=say):
        publisher = Publisher(settings)
        publisher.recover(say)
        number, back_to, changed = publisher.rollback(to)
    say(f"back to {tag(back_to)}: {show.published(number, changed)}")


def discard(run_id: str, settings: Settings, say: Say) -> None:
    """Remove what a run has written and that was not published."""
    with lease.held(settings, f"discard {run_id}", say=say):
        publisher = Publisher(settings)
        publisher.recover(say)
        publisher.discard(publisher.run(run_id))
    say(f"{run_id} is discarded")
