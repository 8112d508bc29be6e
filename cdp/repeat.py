"""Work that is done once, or again and again until it is stopped."""

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from cdp.errors import CdpError

UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(text: str) -> float:
    """A duration such as 30s, 5m or 1h. Raises CdpError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if not found or float(found[1]) == 0:
        raise CdpError(f"{text!r} is not a duration", "write it as 30s, 5m or 1h")
    return float(found[1]) * UNITS[found[2]]


@contextmanager
def until_ended() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set, in place of what they would do."""
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    previous = {s: signal.signal(s, end) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield ended
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def repeat(every: str | None, act: Callable[[], None], say: Callable[[str], None]) -> None:
    """Do it once; or, with a period, each time that has passed since it began, until SIGTERM or
    Ctrl-C. Then a failure sends an alert, and the next time tries again."""
    if every is None:
        act()
        return
    period = seconds(every)
    with until_ended() as ended:
        while not ended.is_set():
            started = time.monotonic()
            try:
                act()
            except CdpError as error:
                say(f"error: {error.problem}\n  fix: {error.fix}")
            ended.wait(max(0.0, period - (time.monotonic() - started)))
