"""Wait for a condition instead of for a time."""

import time
from collections.abc import Callable


def wait_for(what: Callable[[], bool], seconds: float = 60, every: float = 0.01) -> None:
    """Wait until a condition holds.

    every: seconds between two looks, of what is not free to ask.
    """
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "the moment did not come"
        time.sleep(every)
