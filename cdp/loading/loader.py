"""`cdp load`: what has landed since the last load is appended to the raw table, exactly once.

A stream with `availableNow` reads the landing prefix and ends when it has read all. Its checkpoint
knows which objects were read; Iceberg keeps the stream's id and its batch number with each commit
and skips a batch that it holds already. So a load that was killed anywhere is completed by the
next one. Beside the checkpoint stands a mark: the last ledger entry that is known to be loaded.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from requests import RequestException

from cdp import objects
from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.landing import shape
from cdp.landing.ledger import Entry, Ledger
from cdp.landing.source import Source
from cdp.loading import journal
from cdp.settings import Settings
from cdp.spark import connect, quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A small load waits for the store and the catalog most of its time.
AT_ONCE = 4
_making = threading.Lock()

# Arrow's types in a landing schema, as Spark SQL writes them.
SPARK_TYPES = {"string": "string", "int64": "bigint", "timestamp[us, tz=UTC]": "timestamp"}
# What a raw table has beside the columns of the landed objects, taken from their keys.
LOADED = {"_batch": "bigint", "_landing_object": "string"}
BATCH = r"/(\d{12})-[^/]*$"
# What Spark says of a stream that runs already, and for how many seconds its end is waited for.
STILL_RUNNING, PATIENCE = "[CONCURRENT_QUERY]", 120.0


@dataclass(frozen=True)
class Loaded:
    """What a load of one source came to: rows appended by it, rows in the table after it.

    batches: how many ledger entries the source has; 0 when nothing has ever landed.
    """

    table: str
    rows: int
    total: int
    batches: int


def load(source: Source, settings: Settings) -> Loaded:
    """Append what has landed for a source to its raw table, which is made when it is not there.

    Raises CdpError when Spark, the catalog or the store is away, or when a landed object cannot be
    read; in each case the next load goes on where this one stopped.
    """
    with _explained(source):
        ledger = Ledger(source, settings)
        # Completes what a killed lander left, so that all up to this entry is there to be read.
        last = ledger.settle()
        state = _state(source, settings)
        if state is None:
            with _making:  # a namespace that two make at once is an error to some catalogs
                _make_table(connect(settings), source)
            state = _state(source, settings) or _State("", 0)
        mark = journal.read_mark(ledger, state.uuid)
        if mark == last:
            return Loaded(source.raw_table, 0, state.rows, last)
        _see_whole(ledger, source, state, mark)
        entries = list(ledger.entries(mark))
        session = connect(settings)
        table = f"lake.{source.raw_table}"
        _widen(session, table, source, entries)
        if any(entry.parts for entry in entries):
            _stream(session, table, f"s3a://{settings.bucket}", source, state.uuid)
        journal.record(session, source, entries)
        journal.write_mark(ledger, state.uuid, entries[-1].number)
        after = _state(source, settings) or state
    return Loaded(source.raw_table, after.rows - state.rows, after.rows, last)


def load_all(sources: Sequence[Source], settings: Settings, say: Callable[[str], None]) -> None:
    """Load sources, some at a time; one that fails does not keep the others.

    say: receives a line for each, in their order.
    Raises CdpError at the end when one failed, or when nothing has ever landed for any.
    """

    def one(source: Source) -> Loaded | CdpError:
        try:
            return load(source, settings)
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


@dataclass(frozen=True)
class _State:
    """A raw table's UUID, and its rows as its current snapshot counts them."""

    uuid: str
    rows: int


def _state(source: Source, settings: Settings) -> _State | None:
    """What the catalog says of the raw table, None when it has none. No engine is needed for it."""
    state = Catalog(settings).load(source.raw_table)
    return _State(state.uuid, state.rows(state.head())) if state else None


def _see_whole(ledger: Ledger, source: Source, state: _State, mark: int) -> None:
    """Raises CdpError when what keeps rows from being loaded twice has been removed."""
    table = source.raw_table
    if mark and not ledger.entry(mark):
        raise CdpError(
            f"{table} has batches up to {mark} of {source.full_name}, its ledger has not",
            f"restore {ledger.prefix} in the bucket; see docs/runbooks/loading.md",
        )
    checkpoint = f"{journal.checkpoint(state.uuid)}/metadata"
    if state.rows and not ledger.exists(checkpoint):
        raise CdpError(
            f"{table} has {state.rows} rows, and no checkpoint says of which objects",
            "restore it, or drop the table and load all anew; see docs/runbooks/loading.md",
        )


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


def _widen(session: "SparkSession", table: str, source: Source, entries: list[Entry]) -> None:
    """Add the columns that the source has gained, by its file or, captured, at its origin."""
    columns = _columns(source)
    for entry in entries:
        columns |= {name: "string" for name in entry.columns if name not in columns}
    standing = {name.lower() for name in session.table(table).columns}
    gained = {name: kind for name, kind in columns.items() if name.lower() not in standing}
    if gained:
        session.sql(f"alter table {table} add columns ({_ddl(gained)})")


def _stream(session: "SparkSession", table: str, root: str, source: Source, uuid: str) -> None:
    """Run the stream to its end. A checkpoint belongs to one table: a new one reads all anew.

    The stream of a load that was killed may still run to its end: this one waits for that.
    """
    from pyspark.sql import functions as f
    from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

    # The table has every column that ever landed; an object that lacks some leaves them null.
    columns = {c.name: c.dataType.simpleString() for c in session.table(table).schema}
    for name in LOADED:
        columns.pop(name)
    path = f.col("_metadata.file_path")
    stream = (
        session.readStream.schema(_ddl(columns))
        .option("maxBytesPerTrigger", str(1 << 30))
        .parquet(f"{root}/{source.landing_prefix}")
        .select(
            *columns,
            f.regexp_extract(path, BATCH, 1).try_cast("bigint").alias("_batch"),
            path.alias("_landing_object"),
        )
        .select(*session.table(table).columns)
        .writeStream.format("iceberg")
        .outputMode("append")
        .option("checkpointLocation", f"{root}/{journal.checkpoint(uuid)}")
        .option("fanout-enabled", "true")
        .trigger(availableNow=True)
    )
    again = Retrying(
        retry=retry_if_exception(lambda error: STILL_RUNNING in str(error)),
        stop=stop_after_delay(PATIENCE),
        wait=wait_fixed(0.5),
        reraise=True,
    )
    again(lambda: stream.toTable(table).awaitTermination())


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
        if unreadable := re.search(r"reading file (s3a://\S+?)\.?\s", text):
            raise CdpError(
                f"a landed object cannot be read as Parquet: {unreadable[1]}",
                "move it out of the landing zone, have its file delivered again, and load again",
            ) from error
        raise CdpError(
            f"Spark could not load {source.full_name}: {text.splitlines()[0]}", again
        ) from error
