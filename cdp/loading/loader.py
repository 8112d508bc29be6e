"""`cdp load`: what has landed since the last load is appended to the raw table, exactly once.

The ledger names the batches and their objects, in an order without gaps. A load reads from the
table's own snapshots which batch was the last, and commits the ones after it; see commits.py.
"""

import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from requests import RequestException

from cdp import objects
from cdp.catalog import Catalog, State
from cdp.errors import CdpError
from cdp.landing import shape
from cdp.landing.ledger import Entry, Ledger
from cdp.landing.source import Source
from cdp.loading import commits, journal
from cdp.settings import Settings
from cdp.spark import connect, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# A small load waits for the store and the catalog most of its time.
AT_ONCE = 4
_making = threading.Lock()

# Arrow's types in a landing schema, as Spark SQL writes them.
SPARK_TYPES = {"string": "string", "int64": "bigint", "timestamp[us, tz=UTC]": "timestamp"}
# What a raw table has beside the columns of the landed objects, taken from their keys.
LOADED = {"_batch": "bigint", "_landing_object": "string"}
BATCH = r"/(\d{12})-[^/]*$"
# A commit has whole batches; what is killed loses no more than one.
COMMIT_ROWS = 20_000_000
ATTEMPTS = 5


@dataclass(frozen=True)
class Loaded:
    """What a load of one source came to: rows appended by it, rows in the table after it.

    batches: how many ledger entries the source has; 0 when nothing has ever landed.
    """

    table: str
    rows: int
    total: int
    batches: int


def load(source: Source, settings: Settings, without: Collection[int] = ()) -> Loaded:
    """Append what has landed for a source to its raw table, which is made when it is not there.

    without: batches whose rows are left out.
    Raises CdpError when Spark, the catalog or the store is away, or when a landed object cannot be
    read; in each case the next load goes on where this one stopped.
    """
    from pyspark.errors import PySparkException
    from tenacity import Retrying, retry_if_exception, stop_after_attempt

    # Another load was quicker with the same batches; this one brings what it left.
    again = Retrying(
        retry=retry_if_exception(
            lambda error: isinstance(error, PySparkException) and commits.CONFLICT in str(error)
        ),
        stop=stop_after_attempt(ATTEMPTS),
        reraise=True,
    )
    with _explained(source):
        loaded: Loaded = again(_load, source, settings, without)
    return loaded


def _load(source: Source, settings: Settings, without: Collection[int]) -> Loaded:
    ledger, catalog = Ledger(source, settings), Catalog(settings)
    # Completes what a killed lander left, so that all up to this entry is there to be read.
    last = ledger.settle()
    state, known = catalog.load(source.raw_table), catalog.load(journal.TABLE)
    if commits.held(state, source) == commits.held(known, source) == last and state:
        return Loaded(source.raw_table, 0, _rows(state), last)
    session = connect(settings)
    if state is None or known is None:
        with _making:  # a namespace that two make at once is an error to some catalogs
            _make_table(session, source)
            journal.make_table(session)
        state, known = catalog.load(source.raw_table), catalog.load(journal.TABLE)
    if state is None or known is None:
        raise CdpError(f"{source.raw_table} was dropped during its load", "load again")
    loaded, recorded = _held(ledger, source, state), commits.held(known, source)
    entries = list(ledger.entries(min(loaded, recorded)))
    _widen(session, source, entries)
    # What has landed again takes the place of what was lost.
    lost = {*without, *(entry.replaces for entry in entries)}
    for batches in _commits(entries):
        if new := [entry for entry in batches if entry.number > loaded]:
            keys = [p.key for e in new if e.number not in lost for p in e.parts]
            rows = _read(session, source, [f"s3a://{settings.bucket}/{key}" for key in keys])
            commits.append(rows, state, source, new, commits.between(new, "_batch"))
        if new := [entry for entry in batches if entry.number > recorded]:
            journal.record(session, known, source, new)
    after = catalog.load(source.raw_table) or state
    return Loaded(source.raw_table, _rows(after) - _rows(state), _rows(after), last)


def _rows(state: State) -> int:
    return state.rows(state.head())


def _commits(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Batches by the commit that brings them: all, where they are not very large."""
    batches: list[Entry] = []
    rows = 0
    for entry in entries:
        if batches and rows + entry.landed > COMMIT_ROWS:
            yield batches
            batches, rows = [], 0
        batches.append(entry)
        rows += entry.landed
    if batches:
        yield batches


def load_all(
    sources: Sequence[Source],
    settings: Settings,
    say: Callable[[str], None],
    without: Collection[int] = (),
) -> None:
    """Load sources, some at a time; one that fails does not keep the others.

    say: receives a line for each, in their order. without: batches whose rows are left out.
    Raises CdpError at the end when one failed, or when nothing has ever landed for any.
    """

    def one(source: Source) -> Loaded | CdpError:
        try:
            return load(source, settings, without)
        except CdpError as error:
            return error

    failures = []
    landed = False
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for source, done in zip(sources, pool.map(one, sources), strict=True):
            if isinstance(done, CdpError):
                failures.append(done)
                if len(sources) > 1:
                    say(f"error: {done.problem}\n  fix: {done.fix}")
            elif done.batches:
                landed = True
                say(f"{done.table}: {done.rows} rows loaded, {done.total} in all")
            elif len(sources) > 1:
                say(f"{done.table}: nothing has landed for {source.full_name} yet")
    if len(failures) == 1 == len(sources):
        raise failures[0]
    if failures:
        several = f"{len(failures)} of {len(sources)} sources were not loaded"
        raise CdpError(several, failures[0].fix) from failures[0]
    if not landed:
        names = ", ".join(s.full_name for s in sources)
        raise CdpError(f"nothing has landed for {names}", f"cdp land {sources[0].full_name} FILE")


def _held(ledger: Ledger, source: Source, state: State) -> int:
    """The last batch that the raw table holds.

    Raises CdpError when what keeps rows from being loaded twice has been removed.
    """
    table, number = source.raw_table, commits.held(state, source)
    if number and not ledger.entry(number):
        raise CdpError(
            f"{table} has batches up to {number} of {source.full_name}, its ledger has not",
            f"restore {ledger.prefix} in the bucket; see docs/runbooks/loading.md",
        )
    if _rows(state) and not number:
        raise CdpError(
            f"{table} has {_rows(state)} rows, and no snapshot of it says of which batches",
            "drop the table and load it again; see docs/runbooks/loading.md",
        )
    return number


def _columns(source: Source) -> dict[str, str]:
    """The columns of a landed object, with Spark's types."""
    return {f.name: SPARK_TYPES[str(f.type)] for f in shape.landing(source)}


def _ddl(columns: dict[str, str]) -> str:
    return ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())


def _make_table(session: "SparkSession", source: Source) -> None:
    columns = _columns(source) | LOADED
    comment = source.description.replace("\\", "\\\\").replace("'", "\\'")
    session.sql("create namespace if not exists lake.raw")
    session.sql(
        f"create table if not exists lake.{source.raw_table} ({_ddl(columns)}) "
        f"using iceberg partitioned by (days(_landed_at)) comment '{comment}' "
        # Rows come a day or two at a time: a shuffle by day would leave one task with all of them.
        "tblproperties ('write.distribution-mode' = 'none')"
    )


def _widen(session: "SparkSession", source: Source, entries: Iterable[Entry]) -> None:
    """Add the columns that the source has gained, by its file or, captured, at its origin."""
    table = f"lake.{source.raw_table}"
    columns = _columns(source)
    for entry in entries:
        columns |= {name: "string" for name in entry.columns if name not in columns}
    standing = {name.lower() for name in session.table(table).columns}
    gained = {name: kind for name, kind in columns.items() if name.lower() not in standing}
    if gained:
        session.sql(f"alter table {table} add columns ({_ddl(gained)})")


def _read(session: "SparkSession", source: Source, paths: Sequence[str]) -> "DataFrame":
    """The rows of landed objects, as the raw table has them.

    The table has every column that ever landed; an object that lacks some leaves them null.
    """
    from pyspark.sql import functions as f

    table = session.table(f"lake.{source.raw_table}")
    if not paths:
        return table.where("false")
    columns = {c.name: c.dataType.simpleString() for c in table.schema}
    for name in LOADED:
        columns.pop(name)
    path = f.col("_metadata.file_path")
    return (
        session.read.schema(_ddl(columns))
        .parquet(*paths)
        .select(
            *columns,
            f.regexp_extract(path, BATCH, 1).try_cast("bigint").alias("_batch"),
            path.alias("_landing_object"),
        )
        .select(*table.columns)
    )


@contextmanager
def _explained(source: Source) -> Iterator[None]:
    """Turns what Spark says into one line with the fix."""
    from grpc import RpcError
    from pyspark.errors import PySparkException

    again = f"cdp status, then again: cdp load {source.full_name} (it goes on where it stopped)"
    try:
        with objects.explained():
            yield
    except RpcError as error:
        raise CdpError("Spark went away in the middle of the load", again) from error
    except RequestException as error:
        raise CdpError("the catalog does not answer", again) from error
    except PySparkException as error:
        text = str(error)
        if gone := re.search(r"PATH_NOT_FOUND.*?(s3a://[^\s.]\S*?)\.?\s", text):
            raise CdpError(
                f"a landed object is gone: {gone[1]}",
                "put it back, or cdp land its file --again; see docs/runbooks/corrupt-file.md",
            ) from error
        if unreadable := re.search(r"reading file (s3a://\S+?)\.?\s", text):
            raise CdpError(
                f"a landed object cannot be read as Parquet: {unreadable[1]}",
                "move it out of the landing zone, have its file delivered again, and load again",
            ) from error
        raise CdpError(
            f"Spark could not load {source.full_name}: {text.splitlines()[0]}", again
        ) from error
