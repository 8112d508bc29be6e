"""The batches that have been loaded, as a table to query."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cdp.catalog import State
from cdp.landing.ledger import Entry
from cdp.landing.source import Source
from cdp.loading import commits

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TABLE = "monitoring.mon_landed_batches"
COLUMNS = {
    # The embedded catalog refuses a table that is partitioned by its first column.
    "batch": "bigint",
    "source_name": "string",
    "kind": "string",
    "raw_table": "string",
    "landed_at": "timestamp",
    "inputs": "bigint",
    "received": "bigint",
    "landed": "bigint",
    "quarantined": "bigint",
    "landing_objects": "array<string>",
    "replaces": "bigint",
}
DDL = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())


def make_table(session: "SparkSession") -> None:
    session.sql("create namespace if not exists lake.monitoring")
    session.sql(
        f"create table if not exists lake.{TABLE} ({DDL}) using iceberg "
        # A commit is of one source, and conflicts with none of another one, compacted or not.
        "partitioned by (source_name) "
        "comment 'The batches that have landed and were given to the raw tables, "
        "one row a source and batch; written by cdp load' "
        # Loads of all sources write here at once.
        "tblproperties ('write.distribution-mode' = 'none', 'commit.retry.num-retries' = '20')"
    )


def record(session: "SparkSession", state: State, source: Source, entries: Sequence[Entry]) -> None:
    """Add entries to the table of batches. Raises what `commits.append` raises."""
    from pyspark.sql import functions as f

    rows = session.createDataFrame([_row(source, entry) for entry in entries], DDL)
    is_of_source = f.col("source_name") == source.full_name
    commits.append(rows, state, source, entries, is_of_source & commits.between(entries, "batch"))


def _row(source: Source, entry: Entry) -> tuple[Any, ...]:
    """An entry of the ledger in the order of COLUMNS."""
    return (
        entry.number,
        source.full_name,
        entry.kind,
        source.raw_table,
        datetime.fromisoformat(entry.landed_at),
        len(entry.inputs),
        entry.received,
        entry.landed,
        entry.quarantined,
        [part.key for part in entry.parts],
        entry.replaces or None,
    )
