"""The Spark Connect session that ingestion, dbt, Soda and scoring share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from cdp.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def quoted(name: str) -> str:
    """A name as an identifier of Spark SQL."""
    return f"`{name.replace('`', '``')}`"


def connect(settings: Settings) -> "SparkSession":
    """The session with the server of the settings; raises pyspark's errors when it cannot be had.

    The token is read from SPARK_CONNECT_AUTHENTICATE_TOKEN, which the command line sets.
    """
    return _connect(settings.spark_url)


@cache
def _connect(url: str) -> "SparkSession":
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.retries import DefaultPolicy

    # It writes each error as JSON to the terminal, beside raising it.
    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True
    session = SparkSession.builder.remote(url).getOrCreate()
    # A server that is away is back in seconds or not at all; the default waits for ten minutes.
    session.client.set_retry_policies([DefaultPolicy(max_retries=10, max_backoff=4000)])
    return session


# Where rows are few, what comes before the first row is what a query costs: Spark makes Java of it
# and compiles that, splits its shuffles, and plans it again after each of them.
SMALL = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
}


def fit(session: "SparkSession", rows: int, settings: Settings) -> None:
    """Have a session interpret its queries, one task a stage, where all its tables are small.

    rows: of the largest table that it reads. Figures: docs/decisions/0015-starts.md.
    """
    if rows < settings.spark_compile_rows:
        for name, value in SMALL.items():
            session.conf.set(name, value)


def disconnect(settings: Settings) -> None:
    """End the session that `connect` gave, if any: with it go the tables it keeps as it found them,
    its temporary views and its settings."""
    if _connect.cache_info().currsize:
        session = _connect(settings.spark_url)
        session.stop()
        # The garbage collector has PySpark close a client again, from any thread, and with it the
        # threads that release the results of all sessions. A thread of gRPC would wait for itself.
        session.client.close = lambda: None
        _connect.cache_clear()


@contextmanager
def no_other_session() -> Iterator[None]:
    """Sessions that exist go on; whoever asks PySpark for another gets an error."""
    url = os.environ["SPARK_REMOTE"]
    # PySpark wants an address before it looks for the session that there is.
    os.environ["SPARK_REMOTE"] = "none: the session has ended"
    try:
        yield
    finally:
        os.environ["SPARK_REMOTE"] = url
