"""What `cdp land` does and says: files by hand, and the inboxes of sources."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cdp.errors import CdpError
from cdp.landing import inbox
from cdp.landing.lander import Landed
from cdp.landing.source import Source
from cdp.settings import Settings

Say = Callable[[str], None]


def files(paths: Sequence[Path], land: Callable[[Path], Landed], say: Say) -> None:
    """Land files; one that is refused does not keep the others. Raises CdpError at the end."""
    failures = []
    for path in paths:
        try:
            landed = land(path)
        except CdpError as error:
            failures.append(error)
            if len(paths) > 1:
                say(f"error: {error.problem}\n  fix: {error.fix}")
            continue
        verb = "was landed before" if landed.already else "landed"
        bad = f", {landed.quarantined} lines in quarantine" if landed.quarantined else ""
        say(f"{path.name} {verb}: {landed.rows} rows{bad}")
    _raise(failures, f"{len(failures)} of {len(paths)} files were not landed", len(paths) > 1)


def inboxes(sources: Sequence[Source], settings: Settings, say: Say) -> None:
    """Land what is new in the inboxes of sources, those that have one. Raises CdpError at the end
    for objects that were refused; they are tried again each time."""
    with_inbox = [s for s in sources if s.location and not s.captured]
    failures: list[CdpError] = []
    told = len(with_inbox) > 1
    for source in with_inbox or sources:
        done = inbox.land(source, settings, say)
        say(
            f"{source.full_name}: {done.objects} objects landed, {done.landed} rows, "
            f"{done.quarantined} in quarantine, {done.duplicates} objects delivered before"
        )
        failures += done.refused
        told |= len(failures) > 1
        if told:
            for error in done.refused:
                say(f"error: {error.problem}\n  fix: {error.fix}")
    _raise(failures, f"{len(failures)} objects were not landed", told)


def _raise(failures: list[CdpError], summary: str, told: bool) -> None:
    """Raise the only failure; the summary, when failures have been reported by now."""
    if failures and not told:
        raise failures[0]
    if failures:
        raise CdpError(summary, failures[0].fix)
