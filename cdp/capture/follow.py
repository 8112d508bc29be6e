"""One captured source, from its snapshot on: reads its slot, lands what comes, confirms it.

The slot is confirmed up to the end of the last transaction that has landed whole; with nothing on
the way, up to where the server has sent all, so that the log of other tables does not pile up.
"""

import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import psycopg2

from cdp.capture import slot, snapshot
from cdp.capture.fit import Fit
from cdp.capture.gather import NEVER, Acts, Gatherer, Options
from cdp.capture.origin import LOST, Origin
from cdp.capture.pending import Pending
from cdp.capture.pgoutput import MalformedError, Relation
from cdp.capture.structure import Watch
from cdp.capture.wire import Stream, StreamError
from cdp.capture.writer import Writer
from cdp.errors import CdpError
from cdp.landing.ledger import Ledger
from cdp.landing.source import Source
from cdp.settings import Settings

AT_ONCE = 5_000  # messages that are read before anything else is looked after
FEEDBACK = 5.0  # seconds; a server ends a reader that is silent for wal_sender_timeout
RUNBOOK = "docs/runbooks/capture.md"
CHECK = 10.0  # seconds between looks at the publication


class Follower:
    """The capture of one source. `run` it once."""

    def __init__(
        self,
        source: Source,
        settings: Settings,
        options: Options,
        say: Callable[[str], None],
        ended: threading.Event,
    ) -> None:
        self.source = source
        self.options = options
        self.ended = ended
        self._say = say
        self.origin = Origin(source, settings)
        self.writer = Writer(Ledger(source, settings), options.patience, ended)
        self._watch = Watch(self.origin, self.writer.ledger)
        # Where the log was when the table had become another than changes had told by then.
        self._doubted_at: int | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"land {source.full_name}")
        self._resnapshot = options.resnapshot
        self._target: int | None = None
        self._stream: Stream | None = None
        self._slot = ""
        self._met = False  # whether Postgres has ever answered
        self._landing: tuple[Pending, Future[tuple[int, int]]] | None = None
        self._confirmed = 0
        self._spoke = self._checked = 0.0
        self.rows = self.batches = 0

    def run(self) -> None:
        """Capture until the end. Raises CdpError when people have to mend something."""
        until = 0.0
        pause = 0.25
        try:
            self.writer.start()
            while not self.ended.is_set():
                try:
                    self._attach()
                    until, pause = 0.0, 0.25
                    self._follow()
                    break
                except snapshot.StoppedError:
                    self._tell("ended in the snapshot; it begins anew the next time")
                    return
                except (*LOST, StreamError) as error:
                    self._collect(wait_for_it=True, answer=False)
                    until = until or time.monotonic() + self.options.patience
                    late = not self._met or time.monotonic() + pause > until
                    if late or not _may_pass(error):
                        raise _explained(error) from error
                    self._tell(f"Postgres went away, trying again: {_line(error)}")
                self._close()
                self.ended.wait(pause)
                pause = min(pause * 2, 10.0)
        except psycopg2.Error as error:
            raise CdpError(
                f"Postgres refuses: {_line(error)}", f"see what a role needs in {RUNBOOK}"
            ) from error
        except MalformedError as error:
            raise CdpError(
                f"Postgres sent what is not understood: {error}",
                "report it, with the version of Postgres; the slot keeps the changes",
            ) from error
        finally:
            self._close()
            self._pool.shutdown()
        position = self.writer.position
        where = f"; all up to {slot.lsn_text(position.lsn)} has landed" if position else ""
        self._tell(f"{self.rows} changes in {self.batches} batches{where}")

    def _tell(self, text: str) -> None:
        self._say(f"{self.source.full_name}: {text}")

    def _close(self) -> None:
        if self._stream:
            self._stream.close()
        self._stream = None
        self.origin.close()

    def _attach(self) -> None:
        """Be where the last batch ended, with a snapshot first if there is none."""
        self.origin.connect()
        self._met = True
        anew = self._resnapshot or self.writer.position is None
        self.origin.prepare(anew=anew)
        if not anew and self.writer.position:
            self._watch.check_server(self.writer.position)
            self._doubt()
        if self.options.once and self._target is None:
            self._target = slot.log_end(self.origin, mark=True)
        if anew:
            before = self._watch.read()
            snapshot.take(self.origin, self.writer, self._say)
            self._watch.begin(before)
            self._resnapshot = False
        elif self.writer.position:
            slot.check(self.origin, self.writer.position)
        self._slot = self.writer.position.slot if self.writer.position else ""
        self._stream = slot.stream(self.origin)
        self._confirmed = 0
        self._spoke = self._checked = time.monotonic()

    def _follow(self) -> None:
        stream = self._open
        acts = Acts(self._submit, self._judge, self._end, self._truncated)
        gatherer = Gatherer(self.origin.oid, self.writer.position, self._target, self.options, acts)
        while not (self.ended.is_set() or gatherer.reached):
            messages = stream.read(AT_ONCE)
            gatherer.take(messages)
            self._collect()
            self._look_after()
            if not gatherer.transaction and stream.sent >= (self._doubted_at or NEVER):
                gatherer.submit()
                self._refuse_untold()
            pending = gatherer.pending
            if pending and not self._landing and self._is_due(pending):
                gatherer.submit()
            if messages or gatherer.reached:
                continue
            if not (gatherer.transaction or gatherer.pending or self._landing):
                self._confirm(stream.sent)
            if not gatherer.transaction and stream.sent >= (self._target or NEVER):
                break
            # Something may be due then; messages come sooner.
            select.select([stream], [], [], 0.02 if self._landing or self._target else 0.2)
        gatherer.submit()
        self._collect(wait_for_it=True)
        if self._doubted_at:
            self._refuse_untold()

    @property
    def _open(self) -> Stream:
        if self._stream is None:
            raise StreamError("the stream is not open")
        return self._stream

    def _is_due(self, pending: Pending) -> bool:
        return time.monotonic() - pending.began >= self.options.flush

    def _look_after(self) -> None:
        """Say that we live, and see that the publication does."""
        now = time.monotonic()
        # Where all depends on how far the log has been read, the server is asked.
        urgent = bool(self._target or self._doubted_at)
        if self._open.asked or now - self._spoke > (0.2 if urgent else FEEDBACK):
            self._open.confirm(self._confirmed, ask=urgent)
            self._spoke = now
        if now - self._checked > CHECK:
            self.origin.check_publication(self._slot)
            if not self._doubted_at:
                self._doubt()
            self._checked = now

    def _doubt(self) -> None:
        """Look whether the table is what changes made it. If not, those to come may tell why."""
        self._doubted_at = slot.log_end(self.origin) if self._watch.look() else None

    def _refuse_untold(self) -> None:
        """All up to the doubt has been read: what it has not told, no change will."""
        self._doubted_at = None
        if found := self._watch.look():
            self._collect(wait_for_it=True)
            raise CdpError(
                "; ".join(found),
                f"{self.origin.again}: a new snapshot, taken while the table is in use",
            )

    def _truncated(self, transaction: int) -> None:
        self._watch.truncates.add(transaction)
        self._watch.look()

    def _confirm(self, lsn: int) -> None:
        if lsn > self._confirmed:
            self._confirmed = lsn
            self._open.confirm(lsn)
            self._spoke = time.monotonic()

    def _judge(self, relation: Relation) -> Fit:
        try:
            return self.origin.fit(relation)
        except CdpError:
            self._collect(wait_for_it=True)
            raise

    def _end(self, end: int) -> None:
        """A transaction is whole: when all of it has landed, it may be confirmed."""
        if self._landing:
            self._landing[0].end = end
        else:
            self._confirm(end)

    def _submit(self, pending: Pending) -> None:
        """Have changes landed, when those before have landed."""
        self._collect(wait_for_it=True)
        self._landing = pending, self._pool.submit(pending.land, self.writer, self._slot)

    def _collect(self, *, wait_for_it: bool = False, answer: bool = True) -> None:
        """Confirm what has landed. Raises CdpError when it could not.

        wait_for_it: until it has. answer: tell Postgres meanwhile that we live, and what landed.
        """
        if not self._landing:
            return
        pending, landing = self._landing
        while wait_for_it and not landing.done():
            wait([landing], timeout=FEEDBACK)
            if answer:
                self._open.confirm(self._confirmed)
        if not landing.done():
            return
        self._landing = None
        count, moved = landing.result()
        self.rows, self.batches = self.rows + count, self.batches + 1
        self._tell(f"{count} changes landed, up to {slot.lsn_text(pending.spans[-1][1])}")
        if moved:
            self._tell(
                f"of {moved} rows the key changed and a large column was not sent: its value is "
                f"not known; alter table {self.source.location} replica identity full sends it"
            )
        if answer:
            self._confirm(pending.end)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _code(error: BaseException) -> str:
    """The SQLSTATE; empty when the connection was lost."""
    return str(getattr(error, "pgcode", None) or getattr(error, "code", ""))


def _may_pass(error: BaseException) -> bool:
    """Whether it may pass by itself: a lost connection, a restart, too many connections."""
    code = _code(error)
    return not code or code.startswith(("57P", "08")) or code in {"53300", "55006"}


def _explained(error: BaseException) -> CdpError:
    if not _may_pass(error):
        return CdpError(f"Postgres ended the capture: {_line(error)}", f"see {RUNBOOK}")
    return CdpError(
        f"Postgres does not answer: {_line(error)}",
        "cdp status; cdp up, or check CDP_POSTGRES_URL; then capture again: nothing is lost",
    )
