"""Two marts the textbook way: read all Parquet, rank, overwrite Parquet, in PySpark and DuckDB."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.telco import AS_PARQUET

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# The two marts as people write them who have one job and no table format.
LATEST = """
    select
        customer_id,
        lower(gender) as gender,
        replace(replace(lower(contract_type), '-', '_'), ' ', '_') as contract_type,
        cast(tenure_months as int) as tenure_months,
        cast(monthly_charges as decimal(10, 2)) as monthly_charges,
        cast(total_charges as decimal(12, 2)) as total_charges,
        churn_label = 'Yes' as churn_label,
        region
    from (
        select
            *,
            row_number() over (
                partition by customer_id
                order by _committed_at desc, _lsn desc, _batch desc, _source_row desc
            ) as recency
        from customers
    ) as ranked
    where recency = 1 and _op <> 'd'
"""
DAILY = """
    select
        customer_id,
        cast(cast(started_at as timestamp) as date) as usage_date,
        count(*) as events,
        cast(
            sum(if(event_type = 'voice', cast(duration_seconds as int), 0)) as bigint
        ) as call_seconds,
        cast(sum(cast(bytes as bigint)) as bigint) as data_bytes,
        cast(sum(cast(charge as decimal(14, 4))) as decimal(18, 4)) as charges
    from (
        select
            *,
            row_number() over (
                partition by event_id order by emitted_at desc, _batch, _source_row
            ) as recency
        from events
    ) as ranked
    where recency = 1
    group by customer_id, cast(cast(started_at as timestamp) as date)
"""

# Query, column that it is partitioned by, folder.
PEERS_WRITE = ((LATEST, "region", "dim"), (DAILY, "usage_date", "daily"))


def textbook(session: "SparkSession", folder: Path, out: Path) -> float:
    """The two marts in plain PySpark, rebuilt from all Parquet. Seconds."""
    started = time.monotonic()
    for view, source in AS_PARQUET.items():
        session.read.option("recursiveFileLookup", "true").parquet(
            f"file://{folder / source}"
        ).createOrReplaceTempView(view)
    for query, column, name in PEERS_WRITE:
        session.sql(query).repartition(column).write.mode("overwrite").partitionBy(column).parquet(
            f"file://{out / name}"
        )
    return time.monotonic() - started


def duck(folder: Path, out: Path, memory: str) -> float:
    """The same in DuckDB. Seconds."""
    import duckdb

    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    database = duckdb.connect()
    database.execute(f"set memory_limit = '{memory}B'")
    database.execute("set temp_directory = $folder", {"folder": str(out / "spill")})
    database.execute("set preserve_insertion_order = false")
    for view, source in AS_PARQUET.items():
        files = str(folder / source / "*" / "*.parquet")
        database.read_parquet(files).create_view(view)
    for query, column, name in PEERS_WRITE:
        database.sql(query).write_parquet(
            str(out / name), partition_by=[column], overwrite=True, compression="snappy"
        )
    return time.monotonic() - started


SUMS = {
    "dim": "count(*), sum(monthly_charges), sum(tenure_months), count_if(churn_label)",
    "daily": "count(*), sum(events), sum(call_seconds), sum(data_bytes), sum(charges)",
}


def agree(session: "SparkSession", *folders: Path) -> None:
    """Exit unless the peers have the rows of the marts."""
    for name, mart in (("dim", "dim_customers"), ("daily", "fct_usage_daily")):
        ours = session.table(f"lake.marts.{mart}").selectExpr(*SUMS[name].split(", ")).collect()
        for folder in folders:
            read = session.read.parquet(f"file://{folder / name}")
            theirs = read.selectExpr(*SUMS[name].split(", ")).collect()
            if [tuple(map(str, r)) for r in theirs] != [tuple(map(str, r)) for r in ours]:
                sys.exit(f"{folder / name} and {mart} differ: {theirs} {ours}")
