"""`cdp capture --verify`: compares a table at Postgres with what has landed of it, at one LSN.

Each side sums up its rows by ranges of the keys' hashes; where sums differ, the rows of the range
are compared one by one. So whatever made the two differ is found, and memory holds a part of the
keys at a time.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from cdp.capture import slot
from cdp.capture.checksums import AtLake, AtPostgres, Row, differing, digits, unequal
from cdp.capture.fit import Fit
from cdp.capture.follow import Follower
from cdp.capture.gather import Options
from cdp.capture.origin import Origin
from cdp.capture.pgoutput import Relation
from cdp.capture.snapshot import Rows, copy_out
from cdp.errors import CdpError
from cdp.landing.batch import Batch
from cdp.landing.ledger import Input, Ledger
from cdp.landing.source import Source
from cdp.loading import loader
from cdp.settings import Settings
from cdp.spark import connect

if TYPE_CHECKING:
    from psycopg2.extensions import connection

NAMED = 20  # keys that are named
AT_ONCE = 1_000  # keys that are repaired at once
PAUSE = 0.5  # seconds between looks at how far a capture has come


@dataclass
class Verified:
    """What a comparison came to. counts: of keys that are `missing`, `extra` or `different`."""

    rows: int
    lsn: int
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def differing(self) -> int:
        return self.counts.total()


@dataclass(frozen=True)
class _View:
    """The table as one transaction of Postgres sees it: with all that was committed before an LSN,
    and nothing else."""

    origin: Origin
    reader: "connection"
    relation: Relation
    fit: Fit
    lsn: int
    taken_at: datetime


def verify(
    source: Source,
    settings: Settings,
    options: Options,
    say: Callable[[str], None],
    *,
    repair: bool = False,
) -> Verified:
    """Compare, and name the keys that differ; with `repair`, land their rows as Postgres has them.

    Raises CdpError when it cannot be done.
    """
    if not any(entry.position for entry in Ledger(source, settings).entries()):
        raise CdpError(
            f"nothing of {source.full_name} has been captured", f"cdp capture {source.full_name}"
        )
    with _view(source, settings) as view:
        _catch_up(view, settings, options, say)
        loader.load(source, settings)
        width = digits(view.origin.estimate())
        here = AtPostgres(view.reader, view.relation, view.origin.only, view.fit.key, width)
        table = f"lake.{source.raw_table}"
        there = AtLake(connect(settings), table, view.fit, view.lsn, width)
        sums = here.sums()
        done = Verified(sum(rows for rows, _ in sums.values()), view.lsn)
        ranges = unequal(sums, there.sums())
        if not ranges:
            return done
        found = _named(differing(here.rows(ranges), there.rows(ranges)), done, say, source)
        with Batch(Ledger(source, settings), view.fit.gained) as batch:
            while chunk := list(itertools.islice(found, AT_ONCE)):
                if repair:
                    _mend(view, batch, chunk)
            if batch.rows:
                _land(batch, view)
    return done


def _named(
    found: Iterator[tuple[str, Row]], done: Verified, say: Callable[[str], None], source: Source
) -> Iterator[tuple[str, Row]]:
    """What differs, counted, and the first keys told."""
    for what, row in found:
        if done.differing < NAMED:
            say(f"{source.full_name}: {what} {', '.join(row.key)}")
        done.counts[what] += 1
        yield what, row


@contextmanager
def _view(source: Source, settings: Settings) -> Iterator[_View]:
    """A transaction of Postgres, and the LSN that it is as of."""
    origin = Origin(source, settings)
    try:
        origin.connect(alone=False)
        origin.prepare(anew=False)
        origin.check_publication()
        holder, snapshot, point = slot.look(origin)
        reader, taken_at = slot.seeing(origin, holder, snapshot)
        try:
            relation = origin.relation()
            yield _View(
                origin, reader, relation, origin.fit(relation), slot.lsn_number(point), taken_at
            )
        finally:
            reader.close()
    except psycopg2.Error as error:
        raise CdpError(
            f"Postgres does not answer the comparison: {' '.join(str(error).split())}",
            "cdp status; then compare again",
        ) from error
    finally:
        origin.close()


def _catch_up(
    view: _View, settings: Settings, options: Options, say: Callable[[str], None]
) -> None:
    """Have all landed that the view holds: by a capture that runs, or by one of our own."""
    source = view.origin.source
    until = time.monotonic() + options.patience
    while view.origin.holders():
        if view.origin.confirmed() >= view.lsn:
            return
        if time.monotonic() > until:
            raise CdpError(
                f"the capture of {source.full_name} that runs has not come to "
                f"{slot.lsn_text(view.lsn)}",
                "see what it says, or give it longer: --patience",
            )
        time.sleep(PAUSE)
    once = replace(options, once=True, resnapshot=False)
    Follower(source, settings, once, say, threading.Event()).run()


def _mend(view: _View, batch: Batch, found: Sequence[tuple[str, Row]]) -> None:
    """Write what the rows of some keys are at Postgres: after all up to the LSN, and before all
    that is committed later."""
    rows = Rows(batch, view.fit, view.lsn, view.taken_at, threading.Event())
    extra = [row.key for what, row in found if what == "extra"]
    if extra:
        rows.tell_deletes(extra)
    names = [sql.Identifier(view.relation.columns[i].name) for i in view.fit.key]
    keys = [row.key for what, row in found if what != "extra"]
    if keys:
        texts = sql.SQL(", ").join(sql.SQL("concat({})").format(n) for n in names)
        values = sql.SQL(", ").join(
            sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, key))) for key in keys
        )
        where = sql.SQL("({}) in ({})").format(texts, values)
        copy_out(view.origin, view.relation, view.reader, rows, where)


def _land(batch: Batch, view: _View) -> None:
    source = view.origin.source
    name = f"repair as of {slot.lsn_text(view.lsn)}"
    inputs = [Input(name, received=batch.rows, effective_at=view.taken_at.isoformat())]
    columns = tuple([c.name for c in source.columns] + list(view.fit.gained))
    number = batch.ledger.settle() + 1
    while batch.land(number, "repair", inputs, columns=columns) is None:
        number += 1
