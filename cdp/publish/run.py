"""`cdp build`: one run, written to branches, audited there, and published whole or not at all."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from cdp import log, spark, transform
from cdp.alerts import outbox, tell
from cdp.errors import CdpError
from cdp.lineage import events as lineage
from cdp.plan import asked as asking
from cdp.plan import late
from cdp.plan import show as shown
from cdp.plan.decide import Decider, Decision
from cdp.plan.manifest import graph
from cdp.plan.state import Known, States
from cdp.progress import Progress
from cdp.publish import intake, lease, show
from cdp.publish.audit import Audit, Outcome
from cdp.publish.journal import Move, Run
from cdp.publish.keep import keep_state
from cdp.publish.patience import patiently
from cdp.publish.publisher import Publisher, new_id, tag
from cdp.publish.reading import Reading
from cdp.quality import dbt_tests, results
from cdp.quality.checks import demand
from cdp.settings import Settings
from cdp.stack.probes import listening, require

Say = Callable[[str], None]
Until = Literal["written", "audited", "published"]


@dataclass(frozen=True)
class Build:
    """A build on a branch of every table, its audit there, and its publish.

    arguments: dbt's. progress: shows each node of dbt's; until: where it stops, for `cdp audit` or
    `cdp publish` to go on. wait: seconds for another run to end. everything: whether all is built
    that the arguments leave, new or not.
    """

    arguments: Sequence[str]
    settings: Settings
    say: Say
    progress: Progress
    until: Until = "published"
    wait: float = 0
    everything: bool = False

    @cached_property
    def _decider(self) -> Decider:
        asked = asking.read(self.arguments)
        target = transform.target(self.arguments, self.settings)
        if self.everything or target == "ci":
            asked = replace(asked, is_planned=False)
        return Decider(asked, target, self.settings)

    def plan(self) -> Decision:
        """What a run would do now. Nothing is done."""
        reach(self.settings)
        quick = self._decider.quick()
        return quick or self._decide(Reading(self.arguments, self.settings))

    def run(self) -> Outcome:
        """Raises CdpError when anything fails: readers see nothing of the run then."""
        if transform.target(self.arguments, self.settings) == "ci":
            # Its schemas are its own, and go with it: there is nobody to keep anything from.
            return self._aside()
        reach(self.settings)
        quick = self._decider.quick()
        is_nothing = quick is not None and quick.is_nothing
        if quick and is_nothing and quick.is_settled and not lease.holder(self.settings):
            if not quick.is_kept:
                patiently(lambda: self._decider.states.keep(quick.known))
            return self._nothing(quick)
        if quick and not is_nothing:
            require("Spark", self.settings.spark_url)
        run_id = new_id()
        with lease.held(self.settings, f"build {run_id}", self.wait, self.say) as held:
            reading = Reading(self.arguments, self.settings)
            if not is_nothing:
                reading.begin()
            publisher = Publisher(self.settings)
            publisher.recover(self.say)
            decision = self._decide(reading)
            if decision.is_nothing:
                self._decider.keep(decision.known)
                if reading.is_begun:
                    reading.project().manifest.write(str(transform.manifest_path()))
                    self._keep_manifest()
                return self._nothing(decision)
            require("Spark", self.settings.spark_url)
            if not decision.is_kept:
                patiently(lambda: self._decider.states.keep(decision.known))
            with (
                log.about(run_id=run_id),
                lineage.job("build", run_id, self.settings, self.say) as job,
            ):
                run = Run(run_id)
                # dbt may still be reading.
                tables = sorted(node.table for node in decision.known.graph.nodes)
                run.begun = publisher.begin(run_id, tables)
                project = reading.project_of(run, publisher)
                audit = Audit(
                    project,
                    publisher,
                    run,
                    Outcome(run_id),
                    self.settings,
                    self.say,
                    decision.lake.rows,
                )
                self._write(audit, decision, job)
                return self._publish(audit, held, job, decision.known)

    def _decide(self, reading: Reading) -> Decision:
        """The decision, with dbt's help where it is needed."""

        def excluded() -> set[str]:
            return transform.excluded(reading.project(), self._decider.asked.excluded)

        return self._decider.whole(lambda: graph(reading.project().manifest), excluded)

    def _write(self, audit: Audit, decision: Decision, job: lineage.Job) -> None:
        """Have dbt build what is planned, or asked for, and keep what is known of it."""
        plan, well = decision.plan, list[str]()
        if plan:
            self.say(shown.summary(plan))
        if plan is None or plan.select:
            selected = ["--select", *plan.select] if plan else []
            with self.progress.running(len(plan.nodes) if plan else None):
                arguments = [*self.arguments, *selected]
                report, heard = self.progress.report, [self.progress.hear]
                well = audit.write(arguments, report, heard, job)
        built = decision.built(well if self._decider.asked.is_whole else [])
        built = replace(built, is_planned=plan is not None)
        self._decider.states.keep_built(audit.recorded.run_id, built)

    def _publish(self, audit: Audit, held: lease.Lease, job: lineage.Job, known: Known) -> Outcome:
        """Audit what is written and publish it, as far as is asked for. known: from before."""
        run, outcome = audit.recorded, audit.outcome
        if self.until == "written":
            audit.publisher.journal.write(run.run_id, "written")
            self._say_rows(audit.publisher.moves(run), known)
            self.say(self.progress.summary())
            self.say(f"{run.run_id} is written; next: cdp audit {run.run_id}")
            return outcome
        audit.verify()
        if self.until == "audited":
            self._say_rows(audit.publisher.moves(run), known)
            self.say(self.progress.summary())
            self.say(f"{run.run_id} is audited and held; {show.look(run.run_id)}")
            return outcome
        audit.show()
        held.check()
        outcome.publish, outcome.changed = audit.publisher.publish(run)
        job.outputs = outcome.changed
        keep_state(run, outcome.publish, outcome.changed, self.settings, self.say)
        audit.alert()
        self._keep_manifest()
        written = shown.listed([m.table for m in outcome.changed]) or "none"
        self._say_rows(outcome.changed, known)
        self.say(f"{self.progress.summary()}; changed: {written}")
        _tell(outcome.publish, outcome.changed, self.say)
        return outcome

    def _say_rows(self, moves: Sequence[Move], known: Known) -> None:
        """Report how many rows were accepted, rejected and quarantined; a failure fails no run."""
        with suppress(CdpError):
            if rows := intake.summary(moves, known, self.settings):
                self.say(rows)

    def _keep_manifest(self) -> None:
        target = transform.target(self.arguments, self.settings)
        if transform.publishes(self.arguments, target):
            transform.keep_manifest(self.settings)

    def _nothing(self, decision: Decision) -> Outcome:
        """Say that there is nothing to do, and which sources are late."""
        found = late.checks(self.settings.contracts_dir, decision.lake.batches)
        late_ones = [c for c in found if c.outcome != "passed"]
        for check in late_ones:
            self.say(f"  {check}")
        # Since a run that failed, people may be waiting to hear that this one did not.
        if late_ones or not decision.is_settled:
            tell.after_run(tell.Findings("", found, "", lambda _: ""), self.settings, self.say)
        else:
            outbox.flush(self.settings, self.say)
        demand(late_ones)
        self.say(shown.nothing(decision.known))
        return Outcome("")

    def _aside(self) -> Outcome:
        """Build and test without a branch."""
        require("Spark", self.settings.spark_url)
        project = transform.parse(self.arguments, self.settings)
        session = spark.connect(self.settings)
        with self.progress.running(None):
            report, heard = self.progress.report, [self.progress.hear]
            built = transform.build(project, self.arguments, report, heard)
        found = dbt_tests.checks(built, "", session)
        demand(found)
        self.say(self.progress.summary())
        return Outcome("", checks=found)


def reach(settings: Settings) -> None:
    """Raises CdpError when there is no stack; a part that is away for a while is waited for."""
    try:
        listening(settings.store_url)
        listening(settings.catalog_url)
    except OSError:
        require("Spark", settings.spark_url)


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
        keep_state(run, number, job.outputs, settings, say)
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
        keep_state(Run(""), number, [], settings, say)
    say(f"back to {tag(back_to)}: {show.published(number, changed)}")


def discard(run_id: str, settings: Settings, say: Say) -> None:
    """Remove what a run has written and that was not published."""
    with lease.held(settings, f"discard {run_id}", say=say):
        publisher = Publisher(settings)
        publisher.recover(say)
        publisher.discard(publisher.run(run_id))
        States(settings).forget(run_id)
    say(f"{run_id} is discarded")
