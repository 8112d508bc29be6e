"""The marts the textbook way: read all Parquet, rank, join, overwrite it, in PySpark and DuckDB.

Both engines are given the same queries, `bench/marts/*.sql`, as people write them who have one job
and no table format: what is new is not asked, and nothing is checked.
"""

import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from bench.telco import AS_PARQUET

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FOLDER = Path(__file__).parent / "marts"
SERVICES = (
    "has_phone_service",
    "has_multiple_lines",
    "has_online_security",
    "has_online_backup",
    "has_device_protection",
    "has_tech_support",
    "has_streaming_tv",
    "has_streaming_movies",
)
MEASURES = ("events", "call_seconds", "data_bytes", "charges")
# Each query, and the column that its files are partitioned by; none for what only other ones read.
WRITTEN = {
    "history": "",
    "daily_usage": "",
    "dim_customers": "region",
    "fct_usage_daily": "usage_date",
    "fct_payments": "invoice_month",
    "fct_support_tickets": "opened_month",
    "ftr_customer_churn": "as_of_date",
    "agg_churn_by_segment": "as_of_date",
}
# What leads to the two marts that were compared before there were six.
TWO = ("history", "daily_usage", "dim_customers", "fct_usage_daily")
# What must be equal.
SUMS = {
    "dim_customers": "count(*), sum(monthly_charges), sum(tenure_months), count_if(churn_label)",
    "fct_usage_daily": "count(*), sum(events), sum(call_seconds), sum(data_bytes), sum(charges)",
    "fct_payments": "count(*), sum(amount), count_if(payment_status = 'failed')",
    "fct_support_tickets": "count(*), count_if(is_open)",
    "ftr_customer_churn": (
        "count(*), sum(monthly_charges), sum(service_count), sum(usage_events_7d), "
        "sum(usage_events_30d), sum(usage_events_90d), sum(usage_events_180d), "
        "sum(data_megabytes_90d), sum(tickets_60d), sum(failed_payments_60d), "
        "sum(usage_charges_30d), sum(roaming_events_30d), sum(tickets_30d), sum(tickets_90d), "
        "sum(failed_payments_30d), sum(payments_90d), sum(days_since_last_activity), "
        "count_if(has_churned), count(churned_within_30_days), count_if(churned_within_30_days)"
    ),
    "agg_churn_by_segment": (
        "count(*), sum(customer_count), sum(churned_count), sum(monthly_charges_sum), "
        "sum(labelled_count), sum(churned_within_30_days_count)"
    ),
}
Seconds = dict[str, float]


def as_of_dates(until: date, every: int) -> list[date]:
    """The days of the year up to one that are as-of dates: each n-th since 1970."""
    days = (date(2024, 1, 1) + timedelta(n) for n in range((until - date(2024, 1, 1)).days + 1))
    return [day for day in days if (day - date(1970, 1, 1)).days % every == 0]


def queries(until: date, every: int, days_between: str) -> dict[str, str]:
    """Each query, in the order in which they are written.

    until: the last day of which something is known. days_between: the days from the date `last` to
    the date `first`, as an engine has it.
    """
    activity = "greatest(last_used_on, last_paid_on, last_opened_on)"
    filled = {
        "dates": ", ".join(f"('{day}')" for day in as_of_dates(until, every)),
        "last_known_on": str(until),
        "windows": ", ".join(
            f"sum({m}) filter (where usage_date > as_of_date - {days}) as {m}_{days}d"
            for days in (7, 30, 90)
            for m in MEASURES
        ),
        "services": " + ".join(f"cast({name} as int)" for name in SERVICES),
        "flags": ", ".join(SERVICES),
        "days_between": days_between.format(first="known_customers.as_of_date", last=activity),
        "days_used": days_between.format(first="known_customers.as_of_date", last="first_used_on"),
    }
    return {name: (FOLDER / f"{name}.sql").read_text().format_map(filled) for name in WRITTEN}


def _timed(found: dict[str, str], write: Callable[[str, str, str], None]) -> Seconds:
    """Seconds of each query: write takes its name, its text, and the column of its partitions."""
    seconds = {}
    for name, query in found.items():
        started = time.monotonic()
        write(name, query, WRITTEN[name])
        seconds[name] = time.monotonic() - started
    return seconds


def textbook(session: "SparkSession", folder: Path, out: Path, until: date, every: int) -> Seconds:
    """The marts in plain PySpark, rebuilt from all Parquet."""
    for view, source in AS_PARQUET.items():
        session.read.option("recursiveFileLookup", "true").parquet(
            f"file://{folder / source}"
        ).createOrReplaceTempView(view)

    def write(name: str, query: str, column: str) -> None:
        path = f"file://{out / name}"
        rows = session.sql(query)
        if column:
            rows.repartition(column).write.mode("overwrite").partitionBy(column).parquet(path)
        else:
            rows.write.mode("overwrite").parquet(path)
        session.read.parquet(path).createOrReplaceTempView(name)

    return _timed(queries(until, every, "datediff({first}, {last})"), write)


def duck(folder: Path, out: Path, memory: str, until: date, every: int) -> Seconds:
    """The same in DuckDB. memory: its limit; beyond it, it spills to disk."""
    import duckdb

    out.mkdir(parents=True, exist_ok=True)
    database = duckdb.connect(str(out / "marts.duckdb"))
    database.execute(f"set memory_limit = '{memory}B'")
    database.execute("set temp_directory = $folder", {"folder": str(out / "spill")})
    database.execute("set preserve_insertion_order = false")
    database.execute("set timezone = 'UTC'")
    for view, source in AS_PARQUET.items():
        database.read_parquet(str(folder / source / "*" / "*.parquet")).create_view(view)

    def write(name: str, query: str, column: str) -> None:
        if column:
            database.sql(query).write_parquet(
                str(out / name), partition_by=[column], overwrite=True, compression="snappy"
            )
            files = str(out / name / "*" / "*.parquet")
            database.read_parquet(files, hive_partitioning=True).create_view(name)
        else:
            database.sql(query).create(name)

    done = _timed(queries(until, every, "({first} - {last})"), write)
    database.close()
    return done


def agree(session: "SparkSession", *folders: Path) -> None:
    """Exit unless the peers have the rows of the marts."""
    for mart, sums in SUMS.items():
        ours = _sums(session.table(f"lake.marts.{mart}"), sums)
        for folder in folders:
            theirs = _sums(session.read.parquet(f"file://{folder / mart}"), sums)
            if theirs != ours:
                sys.exit(f"{folder / mart} and {mart} differ: {theirs} {ours}")


def _sums(rows: "DataFrame", sums: str) -> list[Decimal]:
    (row,) = rows.selectExpr(*sums.split(", ")).collect()
    return [Decimal(str(value)) for value in row]
