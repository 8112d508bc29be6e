"""`cdp capture`: every captured source in a thread of its own, until each has ended."""

import threading
from collections.abc import Callable, Sequence

from cdp.capture.follow import RUNBOOK, Follower
from cdp.capture.gather import Options
from cdp.capture.slot import lsn_text
from cdp.errors import CdpError
from cdp.landing.source import Source
from cdp.repeat import until_ended
from cdp.settings import Settings


def choose(sources: Sequence[Source], name: str | None) -> list[Source]:
    """Those that come from Postgres. Raises CdpError when a name means none."""
    captured = [s for s in sources if s.captured]
    if not captured:
        raise CdpError(
            f"{name or 'no source'} is captured from Postgres",
            "give its source `format: postgres` and a location, or land its files: cdp land",
        )
    return captured


def capture(
    sources: Sequence[Source], settings: Settings, options: Options, say: Callable[[str], None]
) -> None:
    """Capture until SIGTERM or Ctrl-C, or with `once` until each has caught up.

    One that must stop is reported; the others go on. Raises CdpError at the end for it.
    """
    failures: list[BaseException] = []

    def follow(source: Source, ended: threading.Event) -> None:
        try:
            Follower(source, settings, options, say, ended).run()
        except CdpError as error:
            failures.append(error)
            if len(sources) > 1:
                say(f"error: {source.full_name}: {error.problem}\n  fix: {error.fix}")
        except BaseException as error:  # noqa: BLE001 - raised again below, in the main thread
            failures.append(error)

    with until_ended() as ended:
        threads = [threading.Thread(target=follow, args=(s, ended)) for s in sources]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():  # a handler of a signal runs in between
                thread.join(0.2)
    if len(failures) == 1 and len(sources) == 1:
        raise failures[0]
    if failures:
        first = failures[0]
        fix = first.fix if isinstance(first, CdpError) else str(first)
        raise CdpError(f"{len(failures)} of {len(sources)} captures have stopped", fix) from first


def verify(
    sources: Sequence[Source],
    settings: Settings,
    options: Options,
    say: Callable[[str], None],
    *,
    repair: bool,
) -> None:
    """Compare each table with what has landed of it. Raises CdpError where they differ."""
    from cdp.capture import verify as comparison

    different = []
    for source in sources:
        done = comparison.verify(source, settings, options, say, repair=repair)
        where = f"as of {lsn_text(done.lsn)}"
        if not done.differing:
            say(f"{source.full_name}: {done.rows} rows are equal {where}")
            continue
        counts = ", ".join(f"{n} {what}" for what, n in sorted(done.counts.items()))
        say(f"{source.full_name}: {done.differing} keys differ {where}: {counts}")
        if repair:
            say(f"{source.full_name}: their rows have landed as Postgres has them; cdp load")
        else:
            different.append(source.full_name)
    if different:
        raise CdpError(
            f"what has landed of {', '.join(different)} is not what Postgres has",
            f"cdp capture {different[0]} --verify --repair; what can be the cause: {RUNBOOK}",
        )
