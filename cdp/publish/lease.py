"""One run at a time: an object in the bucket says who has the right to publish.

Taken, renewed and given back by conditional writes (If-None-Match, If-Match). Who is killed leaves
it: on the same machine the next one sees that the process is gone, on another it waits until the
lease has run out. It keeps runs from working in vain; what keeps one from overwriting another's
tables is that a publish asks of each that nobody has moved it.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

import psutil

from cdp import objects
from cdp.errors import CdpError
from cdp.publish.patience import patiently
from cdp.settings import Settings

KEY = "leases/run.json"
# Longer than a store may be away; renewed several times before it runs out.
LIFE, RENEWAL, POLL = 180.0, 20.0, 1.0
TAKEN = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")


@dataclass(frozen=True)
class Holder:
    """Who has the lease, for what, and until when, in seconds since 1970 by the holder's clock."""

    what: str
    host: str
    pid: int
    began: float
    until: float

    def is_gone(self) -> bool:
        """Whether it has run out, or was this machine's and its process has ended."""
        if time.time() > self.until:
            return True
        if self.host != socket.gethostname():
            return False
        try:
            # A pid is given again: the process must be as old as the one that took the lease.
            return abs(psutil.Process(self.pid).create_time() - self.began) > 1
        except psutil.NoSuchProcess:
            return True

    def __str__(self) -> str:
        return f"{self.what} (process {self.pid} on {self.host})"


class Lease:
    """The right, while it is held. key: the object that stands for it; that of runs by default."""

    def __init__(self, settings: Settings, what: str, key: str = KEY) -> None:
        self._s3: Any = objects.client(settings)
        self._bucket = settings.bucket
        self._key = key
        self._what = what
        self._etag = ""
        self._until = 0.0
        self._ended = threading.Event()
        self._renewing = threading.Lock()

    def check(self) -> None:
        """Renew it. Raises CdpError when another process has it by now."""
        with self._renewing:
            is_ours = patiently(lambda: self._put(IfMatch=self._etag))
        if not is_ours:
            raise CdpError(
                "another command has taken the place of this one, which was away for too long",
                "cdp runs shows it; cdp discard what this one has left",
            )

    def take(self) -> Holder | None:
        """Take it if it is free; else who has it."""
        with objects.explained():
            return patiently(self._take)

    def _take(self) -> Holder | None:
        if self._put(IfNoneMatch="*"):
            return None
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=self._key)
        except objects.FAILURES as error:
            if objects.is_error(error, "NoSuchKey", "404"):
                return self._take()
            raise
        holder = Holder(**json.loads(found["Body"].read()))
        if holder.is_gone() and self._put(IfMatch=found["ETag"]):
            return None
        return holder

    def keep(self) -> None:
        """Renew it now and then until `give_back`, in a thread."""
        threading.Thread(target=self._keep, daemon=True).start()

    def _keep(self) -> None:
        while not self._ended.wait(RENEWAL):
            try:
                self.check()
            except CdpError:
                # The store is away, or the lease is another's: the check before a publish sees it.
                continue

    def give_back(self) -> None:
        self._ended.set()
        with self._renewing:
            try:
                self._s3.delete_object(Bucket=self._bucket, Key=self._key, IfMatch=self._etag)
            except objects.FAILURES:
                # The store is away, or it is another's: it runs out.
                return

    def _put(self, **condition: str) -> bool:
        until = time.time() + LIFE
        began = psutil.Process().create_time()
        body = Holder(self._what, socket.gethostname(), os.getpid(), began, until)
        try:
            put = self._s3.put_object(
                Bucket=self._bucket,
                Key=self._key,
                Body=json.dumps(asdict(body)).encode(),
                **condition,
            )
        except objects.FAILURES as error:
            if objects.is_error(error, *TAKEN, "NoSuchKey", "404"):
                return False
            raise
        self._etag, self._until = put["ETag"], until
        return True


def holder(settings: Settings) -> Holder | None:
    """Who has the lease now; None when it is free, or its holder is gone. Takes nothing.

    Raises CdpError when the store is away.
    """

    def read() -> Holder | None:
        try:
            found = objects.client(settings).get_object(Bucket=settings.bucket, Key=KEY)
        except objects.FAILURES as error:
            if objects.is_error(error, "NoSuchKey", "404"):
                return None
            raise
        known = Holder(**json.loads(found["Body"].read()))
        return None if known.is_gone() else known

    with objects.explained():
        return patiently(read)


@contextmanager
def held(
    settings: Settings,
    what: str,
    wait: float = 0,
    say: Callable[[str], None] | None = None,
    key: str = KEY,
) -> Iterator[Lease]:
    """The lease, given back at the end. Raises CdpError when another has it for longer than the
    seconds to wait."""
    lease = Lease(settings, what, key)
    ends = time.monotonic() + wait
    told = False
    while holder := lease.take():
        if time.monotonic() >= ends:
            where = "" if key == KEY else f" on {PurePosixPath(key).stem}"
            # Commands for runs alone can wait as long as they are told to.
            fix = "or wait for it with --wait 1h" if key == KEY else "then look again"
            raise CdpError(f"another command is at work{where}: {holder}", f"let it end, {fix}")
        if say and not told:
            say(f"waiting for {holder}")
            told = True
        time.sleep(POLL)
    lease.keep()
    try:
        yield lease
    finally:
        lease.give_back()
