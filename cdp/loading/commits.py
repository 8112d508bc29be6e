"""Which batches a table holds, as its own snapshots say, and commits that say it.

Each commit of a load names in its snapshot's summary the last batch that it brought. What a table
holds is therefore what its current snapshot and its ancestors say: a table that is rolled back,
restored or made again is loaded from there on, and nothing beside the table can disagree with it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cdp.catalog import State
from cdp.landing.ledger import Entry
from cdp.landing.source import Source

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PREFIX = "cdp.batch."
# The prefix of a write option whose value goes to the snapshot's summary.
SUMMARY = "snapshot-property."
# What Spark says when rows of these batches were committed since the table was read.
CONFLICT = "Found conflicting files"


def held(state: State | None, source: Source) -> int:
    """The last batch of a source that a table holds; 0 for none."""
    return said(state).get(PREFIX + source.full_name, 0) if state else 0


def said(state: State, before: int | None = None) -> dict[str, int]:
    """What a table says of each source, by the key in its summaries.

    before: epoch milliseconds; only what snapshots older than that say.
    """
    found: dict[str, int] = {}
    snapshot = state.snapshots.get(state.head() or -1)
    while snapshot:
        if before is None or snapshot["timestamp-ms"] < before:
            for key, value in snapshot["summary"].items():
                if key.startswith(PREFIX):
                    found.setdefault(key, int(value))
        snapshot = state.snapshots.get(int(snapshot.get("parent-snapshot-id") or -1))
    # Upkeep leaves there what the snapshots said that it expires.
    for key, value in state.properties.items():
        if key.startswith(PREFIX):
            found.setdefault(key, int(value))
    return found


def between(entries: Sequence[Entry], column: str) -> "Column":
    """The condition that a row is of one of the batches."""
    from pyspark.sql import functions as f

    return f.col(column).between(entries[0].number, entries[-1].number)


def append(
    rows: "DataFrame", state: State, source: Source, entries: Sequence[Entry], where: "Column"
) -> None:
    """Commit the rows of batches; the commit fails when the table has got such rows since.

    state: the table before, which holds none of the batches. where: what is true of their rows.
    A load whose client was killed goes on in Spark: of two that bring the same batch, one wins.
    Raises PySparkException, with CONFLICT in its text for the other one.
    """
    write = (
        rows.writeTo(f"lake.{state.name}")
        .option(f"{SUMMARY}{PREFIX}{source.full_name}", str(entries[-1].number))
        .option("isolation-level", "serializable")
        # Rows are of a day or two: tasks write them as they come, without a shuffle or a sort.
        .option("fanout-enabled", "true")
    )
    head = state.head()
    if head is not None:
        write = write.option("validate-from-snapshot-id", str(head))
    # There is nothing to overwrite: Iceberg validates overwrites, and does not validate appends.
    write.overwrite(where)
