"""Lands and publishes that are killed, in processes of their own that need not import first."""

import functools
import itertools
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdp import objects
from cdp.catalog import Catalog
from cdp.landing import inbox
from cdp.landing.source import Source
from cdp.publish import run
from cdp.publish.journal import Journal
from cdp.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Bounds so low that a few objects fill a batch, and a few lines are a large object.
SMALL = {"BATCH_BYTES": 4000, "LARGE_BYTES": 2000, "BLOCK_BYTES": 1500, "AHEAD_BYTES": 200_000}


def land(source: Source, settings: Settings, folder: Path, moments: list[tuple[str, int]]) -> None:
    """Land in small batches, in processes that die at their write of some number."""
    tempfile.tempdir = str(folder)  # they leave their scratch files there
    client = objects.client
    client(settings)  # the first is slow to make
    for name, value in (SMALL | {"BATCH_BYTES": 1500}).items():
        setattr(inbox, name, value)
    for event, at in moments:
        pid = os.fork()
        if not pid:
            s3 = client(settings)
            death = _Death(itertools.count(1), at)
            for operation in ("PutObject", "CopyObject", "DeleteObject"):
                s3.meta.events.register(f"{event}.s3.{operation}", death)
            objects.client = functools.partial(_given, s3)
            inbox.land(source, settings, lambda _: None)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, (event, at)


def _given(s3: "S3Client", _: Settings) -> "S3Client":
    return s3


@dataclass
class _Death:
    writes: Iterator[int]
    at: int

    def __call__(self, **_: object) -> None:
        if next(self.writes) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def publish(run_id: str, settings: Settings, steps: int, *, at_once: bool) -> None:
    """Publish a run, and be killed after so many of the things that a publish does.

    at_once: whether the catalog commits to several tables in one transaction.
    """
    if not at_once:
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
    os.environ.update(settings.environment())
    run.publish(run_id, settings, print)
