"""What a run has to tell: its causes, once each, and those that it found resolved."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cdp.alerts import outbox
from cdp.alerts.alert import RUN, Alert, Cause, causes
from cdp.alerts.memory import Memory, Open
from cdp.errors import CdpError
from cdp.quality.checks import Check
from cdp.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Findings:
    """What a run came to.

    problem: why it failed; empty when it is published. owner: gives who owns a table.
    """

    run_id: str
    checks: Sequence[Check]
    problem: str
    owner: Callable[[str], str]


def after_run(run: Findings, settings: Settings, say: Say) -> None:
    """Send what a run has found, and keep it. Whatever fails here, the run's result stands."""
    found = causes(run.checks, run.problem)
    memory, known = _known(settings, say)
    moment = datetime.now(UTC)
    alerts = [
        Alert(c, run.run_id, run.owner(c.name), known[c.name].since if c.name in known else moment)
        for c in found
        if memory is None or memory.is_news(c, known.get(c.name), moment)
    ]
    alerts += resolved(known, found, run)
    _send(alerts, memory, settings, say)


def failure(name: str, problem: str, settings: Settings, say: Say) -> None:
    """Send what kept something other than a run from its end, unless it was sent already.

    name: what failed, such as a task, in the same words each time.
    """
    cause, moment = Cause(name, "failed", (problem,)), datetime.now(UTC)
    memory, known = _known(settings, say)
    was = known.get(name)
    if memory is None or memory.is_news(cause, was, moment):
        _send([Alert(cause, "", "", was.since if was else moment)], memory, settings, say)


def recovered(name: str, settings: Settings, say: Say) -> None:
    """Send that what was sent is over: of the name, and of `name.` and whatever follows."""
    memory, known = _known(settings, say)
    over = [
        Alert(Cause(each, "resolved", ("resolved",)), "", "", was.since)
        for each, was in known.items()
        if each == name or each.startswith(f"{name}.")
    ]
    _send(over, memory, settings, say)


def _send(alerts: Sequence[Alert], memory: Memory | None, settings: Settings, say: Say) -> None:
    """Keep an alert, and send it."""
    if memory and alerts:
        try:
            memory.tell(alerts)
        except CdpError as error:
            say(f"warning: what people were told is not kept: {error.problem}")
    outbox.send(alerts, settings, say)


def _known(settings: Settings, say: Say) -> tuple[Memory | None, Mapping[str, Open]]:
    """What was sent before; nothing where the catalog is away, which may be the cause."""
    try:
        memory = Memory(settings)
        return memory, memory.open()
    except CdpError as error:
        say(f"warning: it is not known what people were told before: {error.problem}")
        return None, {}


def resolved(known: Mapping[str, Open], found: Sequence[Cause], run: Findings) -> list[Alert]:
    """Of the open causes those that are gone: tables that were checked again, all well, and what
    kept runs from their end, once one has come to it."""
    still = {c.name for c in found}
    well = {c.table for c in run.checks if c.outcome == "passed"}
    if not run.problem:
        well.add(RUN)
    return [
        Alert(Cause(name, "resolved", ("resolved",)), run.run_id, run.owner(name), was.since)
        for name, was in known.items()
        if name in well - still
    ]
