"""`cdp load`: what has landed since the last load is appended to the raw table, exactly once.

A stream with `availableNow` reads the landing prefix and ends when it has read all. Its checkpoint
knows which objects were read; Iceberg keeps the stream's id and its batch number with each commit
and skips a batch that it holds already. So a load that was killed anywhere is completed by the
next one.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cdp import catalog, objects
from cdp.errors import CdpError
from cdp.landing.lander import schema as landing_schema
from cdp.landing.source import Source
from cdp.settings import Settings
from cdp.spark import connect

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Arrow's types in a landing schema, as Spark SQL writes them.
SPARK_TYPES = {"string": "string", "int64": "bigint", "timestamp[us, tz=UTC]": "timestamp"}


class NothingLandedError(CdpError):
    """A source that has nothing to load yet."""


@dataclass(frozen=True)
class Loaded:
    """What a load of one source came to: rows appended by it, rows in the table after it."""

    table: str
    rows: int
    total: int


def load(source: Source, settings: Settings) -> Loaded:
    """Append what has landed for a source to its raw table, made at its first load.

    Raises CdpError when nothing has landed, when Spark or the store is away, or when a landed
    object cannot be read; in each case the next load goes on where this one stopped.
    """
    prefix = source.landing_prefix
    try:
        landed = next(objects.keys(objects.client(settings), settings.bucket, prefix), None)
    except (BotoCoreError, ClientError) as error:
        raise CdpError(f"the object store does not answer: {error}", "cdp up") from error
    if landed is None:
        raise NothingLandedError(
            f"nothing has landed for {source.full_name}", f"cdp land {source.full_name} FILE"
        )
    with _explained(source):
        session = connect(settings)
        table = f"lake.{source.raw_table}"
        _have_table(session, table, source)
        # Counts come from the table's metadata: no data is read for them.
        before = session.table(table).count()
        _stream(session, table, source, settings)
        total = session.table(table).count()
    return Loaded(source.raw_table, total - before, total)


def _columns(source: Source) -> dict[str, str]:
    """The columns of a landed object, with Spark's types."""
    return {f.name: SPARK_TYPES[str(f.type)] for f in landing_schema(source)}


def _ddl(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def _have_table(session: "SparkSession", table: str, source: Source) -> None:
    """Make the raw table, or add the columns that the source has gained."""
    columns = _columns(source) | {"_landing_object": "string"}
    comment = source.description.replace("\\", "\\\\").replace("'", "\\'")
    session.sql("create namespace if not exists lake.raw")
    session.sql(
        f"create table if not exists {table} ({_ddl(columns)}) "
        f"using iceberg partitioned by (days(_landed_at)) comment '{comment}'"
    )
    standing = set(session.table(table).columns)
    gained = {name: kind for name, kind in columns.items() if name not in standing}
    if gained:
        session.sql(f"alter table {table} add columns ({_ddl(gained)})")


def _stream(session: "SparkSession", table: str, source: Source, settings: Settings) -> None:
    """Run the stream to its end."""
    from pyspark.sql import functions as f

    root = f"s3a://{settings.bucket}"
    landed = (
        session.readStream.schema(_ddl(_columns(source)))
        .parquet(f"{root}/{source.landing_prefix}")
        .withColumn("_landing_object", f.col("_metadata.file_path"))
    )
    # A column that the source has lost stays in the table, and is null from now on.
    chosen = [
        f.col(c.name) if c.name in landed.columns else f.lit(None).cast(c.dataType).alias(c.name)
        for c in session.table(table).schema
    ]
    query = (
        landed.select(*chosen)
        .writeStream.format("iceberg")
        .outputMode("append")
        .option("checkpointLocation", f"{root}/checkpoints/{_identity(source, settings)}")
        .option("fanout-enabled", "true")
        .trigger(availableNow=True)
        .toTable(table)
    )
    query.awaitTermination()


def _identity(source: Source, settings: Settings) -> str:
    """The raw table's UUID: a checkpoint belongs to one table, and a new table reads all anew."""
    schema, table = source.raw_table.split(".")
    return str(catalog.load_table(settings, schema, table)["metadata"]["table-uuid"])


@contextmanager
def _explained(source: Source) -> Iterator[None]:
    """Turns what Spark says into one line with the fix."""
    from grpc import RpcError
    from pyspark.errors import PySparkException
    from requests import RequestException

    again = f"cdp status, then again: cdp load {source.full_name} (it goes on where it stopped)"
    try:
        yield
    except RpcError as error:
        raise CdpError("Spark went away in the middle of the load", again) from error
    except RequestException as error:
        raise CdpError("the catalog went away in the middle of the load", again) from error
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
