"""Publishes a run, and is killed after so many of the things that a publish does.

python -m tests.support.killed RUN STEPS [--one-by-one]
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from cdp.catalog import Catalog
from cdp.publish import run
from cdp.publish.journal import Journal
from cdp.settings import settings


def main() -> None:
    run_id, steps = sys.argv[1], int(sys.argv[2])
    if "--one-by-one" in sys.argv:
        Catalog.has_transactions = False  # type: ignore[assignment,method-assign]
    done = 0

    def counted(act: Callable[..., None]) -> Callable[..., None]:
        def then(*arguments: Any, **named: Any) -> None:  # noqa: ANN401
            nonlocal done
            if done == steps:
                os.kill(os.getpid(), signal.SIGKILL)
            act(*arguments, **named)
            done += 1

        return then

    # All that a publish changes anywhere, it changes by one of these.
    Journal.write = counted(Journal.write)  # type: ignore[method-assign]
    Catalog._post = counted(Catalog._post)  # type: ignore[method-assign]
    os.environ.update(settings().environment())
    run.publish(run_id, settings(), print)


if __name__ == "__main__":
    main()
