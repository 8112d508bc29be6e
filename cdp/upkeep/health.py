"""monitoring.mon_table_health: how tables are, before and after their upkeep."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from cdp.lake import Log
from cdp.publish.patience import patiently
from cdp.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TABLE = "monitoring.mon_table_health"
# Files of less than this are small: the sizes that tables are promised to have begin here.
SMALL = 100 << 20
Moment = Literal["before", "after"]


@dataclass(frozen=True)
class Health:
    """What main of a table is made of; sizes in bytes, rows before deletes are applied.

    oldest_snapshot_at: UTC; None for a table without snapshots.
    """

    rows: int = 0
    files: int = 0
    small_files: int = 0
    bytes: int = 0
    delete_files: int = 0
    manifests: int = 0
    snapshots: int = 0
    oldest_snapshot_at: datetime | None = None


def measure(table: str, session: "SparkSession") -> Health:
    """How a table, `namespace.name`, is now."""
    (row,) = session.sql(
        f"""
        with files as (
            select
                count_if(content = 0) as files,
                count_if(content = 0 and file_size_in_bytes < {SMALL}) as small_files,
                sum(if(content = 0, file_size_in_bytes, 0)) as bytes,
                sum(if(content = 0, record_count, 0)) as rows,
                count_if(content <> 0) as delete_files
            from lake.{table}.files
        )

        select
            coalesce(rows, 0) as rows,
            files,
            small_files,
            coalesce(bytes, 0) as bytes,
            delete_files,
            (select count(*) from lake.{table}.manifests) as manifests,
            (select count(*) from lake.{table}.snapshots) as snapshots,
            (select min(committed_at) from lake.{table}.snapshots) as oldest_snapshot_at
        from files
        """  # noqa: S608 - a table of the manifest
    ).collect()
    found = row.asDict()
    # Spark gives moments without a zone, in that of the process.
    if moment := found["oldest_snapshot_at"]:
        found["oldest_snapshot_at"] = moment.astimezone(UTC)
    return Health(**found)


@dataclass(frozen=True)
class Measured:
    """A row of the table."""

    table_name: str
    moment: Moment
    health: Health
    orphans: int | None = None
    seconds: float | None = None


def keep(measured: list[Measured], settings: Settings) -> None:
    """Add the measurements of a table's upkeep."""
    import pyarrow as pa

    counts = ("rows", "files", "small_files", "bytes", "delete_files", "manifests", "snapshots")
    schema = pa.schema(
        [
            ("measured_at", pa.timestamp("us", "UTC")),
            ("table_name", pa.string()),
            ("moment", pa.string()),
            *((name, pa.int64()) for name in counts),
            ("oldest_snapshot_at", pa.timestamp("us", "UTC")),
            ("orphans_removed", pa.int64()),
            ("seconds", pa.float64()),
        ]
    )
    at = datetime.now(UTC)
    rows = [
        {
            "measured_at": at,
            "table_name": m.table_name,
            "moment": m.moment,
            **asdict(m.health),
            "orphans_removed": m.orphans,
            "seconds": m.seconds,
        }
        for m in measured
    ]
    patiently(lambda: Log(TABLE, schema, settings).append(rows))
