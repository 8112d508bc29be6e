"""What has been loaded: a mark beside each checkpoint, and the batches as a table to query."""

import re
import threading
from datetime import datetime
from typing import TYPE_CHECKING

from cdp.landing.ledger import Entry, Ledger
from cdp.landing.source import Source

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ATTEMPTS = 5
_one_at_a_time = threading.Lock()

TABLE = "lake.monitoring.mon_landed_batches"
COLUMNS = {
    "source_name": "string",
    "batch": "bigint",
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


def checkpoint(uuid: str) -> str:
    """Where the stream into the table of that UUID keeps its state."""
    return f"checkpoints/{uuid}"


def _mark(uuid: str) -> str:
    return f"{checkpoint(uuid)}.loaded"


def read_mark(ledger: Ledger, uuid: str) -> int:
    """The last entry of the ledger that is known to be loaded into the table; 0 for none."""
    return int(ledger.read(_mark(uuid)) or 0)


def write_mark(ledger: Ledger, uuid: str, number: int) -> None:
    ledger.s3.put_object(Bucket=ledger.bucket, Key=_mark(uuid), Body=str(number).encode())


def make_table(session: "SparkSession") -> None:
    session.sql("create namespace if not exists lake.monitoring")
    session.sql(
        f"create table if not exists {TABLE} ({DDL}) using iceberg "
        "comment 'The batches that have landed and were given to the raw tables, "
        "one row a source and batch; written by cdp load'"
    )


def record(session: "SparkSession", source: Source, entries: list[Entry]) -> None:
    """Add entries to the table of batches; one that it holds stays as it is."""
    from pyspark.errors import PySparkException

    with _one_at_a_time:
        make_table(session)
    rows = [
        (
            source.full_name,
            e.number,
            e.kind,
            source.raw_table,
            datetime.fromisoformat(e.landed_at),
            len(e.inputs),
            e.received,
            e.landed,
            e.quarantined,
            [p.key for p in e.parts],
            e.replaces or None,
        )
        for e in entries
    ]
    view = f"landed_{source.raw_table.replace('.', '_')}"
    session.createDataFrame(rows, DDL).createOrReplaceTempView(view)
    merge = (
        f"merge into {TABLE} as known using {view} as landed "
        "on known.source_name = landed.source_name and known.batch = landed.batch "
        "when not matched then insert *"
    )
    # Loads of other sources write here too, from this process and from others.
    with _one_at_a_time:
        for attempt in range(ATTEMPTS):
            try:
                session.sql(merge)
            except PySparkException as error:
                if attempt + 1 == ATTEMPTS or not re.search("conflict|CommitFailed", str(error)):
                    raise
            else:
                return
