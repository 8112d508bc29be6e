"""What the SQL layer costs: a full build, days, an hour, and the jobs that people write instead.

    python -m bench.transform [--customers 1000000 5000000] [--events 24 2]

A year of a made-up telco is put into the raw tables, at each size on a stack of its own, and
built; then a day in which 1 % of the customers change, a day that is an as-of date, and an hour.
What comes to the first size is also given to a telco of half its customers. Beside them, on the
same rows, two marts the textbook way: read all Parquet, rank, overwrite Parquet, in plain PySpark
and in DuckDB.
Fails when something costs more than the project promises.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from bench.page import ROOT, table, write
from bench.startup import cdp
from cdp.landing.source import Source, read_all
from cdp.loading import journal, loader
from cdp.settings import Settings, settings
from cdp.spark import connect, disconnect
from cdp.transform import NO_UNIT_TESTS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DAY_LIMIT, HOUR_LIMIT, DOUBLE_LIMIT = 0.10, 0.05, 1.3
# 2024-01-01 in seconds, and the days of that year.
YEAR, DAYS = 1704067200, 366
DAY_SECONDS = 86400
# As-of dates are each 14th day since 1970: 26 in the year, and the next on its second day after.
EVERY = 14
# Which nodes lead to the two marts that the peers compute.
SHARED = (
    "base_crm_customers",
    "int_customers__latest",
    "dim_customers",
    "base_usage_events",
    "int_usage_daily",
    "fct_usage_daily",
)

# What the peers read, by the names of their views.
PEERS_READ = {"customers": "crm.customers", "events": "usage.events"}

# Rows from one number to another, one after the other in time.
NUMBERED = """
    select
        number,
        customer,
        printf('%010d', customer) as customer_id,
        timestamp_micros({since} * 1000000L + bigint((number - {first}) * {step}D)) as at
    from (select id as number, {customer} as customer from range({first}, {until}, 1, 16))
"""
CUSTOMERS = """
    select
        customer_id,
        if(pmod(xxhash64(customer, 1), 2) = 0, 'Male', 'Female') as gender,
        'No' as senior_citizen,
        if(pmod(xxhash64(customer, 2), 2) = 0, 'Yes', 'No') as partner,
        'No' as dependents,
        string(pmod(xxhash64(customer, 3), 72) + 1) as tenure_months,
        'Yes' as phone_service,
        if(pmod(xxhash64(customer, 4), 3) = 0, 'Yes', 'No') as multiple_lines,
        element_at(array('DSL', 'Fiber optic', 'No'), int(pmod(xxhash64(customer, 5), 3)) + 1)
            as internet_service,
        'No' as online_security,
        'Yes' as online_backup,
        'No' as device_protection,
        if(pmod(xxhash64(customer, 6), 4) = 0, 'Yes', 'No') as tech_support,
        'No' as streaming_tv,
        'Yes' as streaming_movies,
        element_at(
            array('Month-to-month', 'One year', 'Two year'),
            int(pmod(xxhash64(customer, number, 7), 3)) + 1
        ) as contract_type,
        'Yes' as paperless_billing,
        element_at(
            array('Electronic check', 'Mailed check', 'Credit card (automatic)'),
            int(pmod(xxhash64(customer, 8), 3)) + 1
        ) as payment_method,
        string(cast(20 + pmod(xxhash64(customer, number, 9), 10000) / 100 as decimal(10, 2)))
            as monthly_charges,
        string(cast(pmod(xxhash64(customer, 10), 700000) / 100 as decimal(12, 2)))
            as total_charges,
        if({is_change} and pmod(xxhash64(number, 11), 20) = 0, 'Yes', 'No') as churn_label,
        element_at(
            array('north', 'east', 'south', 'west'), int(pmod(xxhash64(customer, 12), 4)) + 1
        ) as region,
        'mobile' as product_line,
        string(at) as event_timestamp,
        string(at) as last_updated,
        '{op}' as _op,
        number as _lsn,
        at as _committed_at
    from ({numbered})
"""
EVENTS = """
    select
        concat('E', number) as event_id,
        customer_id,
        element_at(array('voice', 'sms', 'data'), int(pmod(xxhash64(number, 1), 3)) + 1)
            as event_type,
        -- Some are told a day late.
        string(if(pmod(xxhash64(number, 2), 50) = 0, at - interval 1 day, at)) as started_at,
        string(pmod(xxhash64(number, 3), 3600)) as duration_seconds,
        string(pmod(xxhash64(number, 4), 1000000000)) as bytes,
        string(cast(pmod(xxhash64(number, 5), 500) / 100 as decimal(14, 4))) as charge,
        if(pmod(xxhash64(number, 6), 20) = 0, 'yes', 'no') as roaming,
        'north' as region,
        concat('cell-', pmod(xxhash64(number, 7), 1000)) as cell,
        string(at) as emitted_at
    from ({numbered})
"""
PAYMENTS = """
    select
        concat('P', number) as payment_id,
        customer_id,
        date_format(at, 'yyyy-MM') as invoice_month,
        string(at) as billed_at,
        string(cast(20 + pmod(xxhash64(number, 1), 10000) / 100 as decimal(12, 2))) as amount,
        'Mailed check' as method,
        if(pmod(xxhash64(number, 2), 12) = 0, 'failed', 'paid') as status,
        string(at) as paid_at,
        string(at) as emitted_at
    from ({numbered})
"""
TICKETS = """
    select
        concat('T', number) as ticket_id,
        customer_id,
        string(at) as opened_at,
        'billing' as category,
        'low' as priority,
        string(at) as emitted_at
    from ({numbered})
"""
ROWS = {
    "crm.customers": CUSTOMERS,
    "usage.events": EVENTS,
    "billing.payments": PAYMENTS,
    "support.tickets": TICKETS,
}


@dataclass
class Part:
    """A batch of a source: how many rows, from which number, of which customers, and when.

    of_all: whether each customer has one row, in order, as in the first copy of the master.
    """

    source: str
    number: int
    rows: int
    first: int
    customers: int
    since: int
    seconds: int
    of_all: bool = False

    def query(self) -> str:
        customer = "number" if self.of_all else f"pmod(xxhash64(number, 0), {self.customers})"
        numbered = NUMBERED.format(
            customer=customer,
            first=self.first,
            until=self.first + self.rows,
            since=self.since,
            step=self.seconds * 1e6 / self.rows,
        )
        op = "r" if self.of_all else "u"
        return ROWS[self.source].format(
            numbered=numbered, op=op, is_change=str(not self.of_all).lower()
        )


@dataclass(frozen=True)
class Size:
    """How large a telco is, and what happens on its day and in its hour.

    changed: customers that change on the day; events: events of the day; hour: events of the hour.
    """

    customers: int
    events_a_customer: float
    changed: int
    events: int
    hour: int = 20_000

    def year(self) -> list[Part]:
        n = self.customers
        events = int(n * self.events_a_customer)
        span = DAYS * DAY_SECONDS
        return [
            Part("crm.customers", 1, n, 0, n, YEAR, 3600, of_all=True),
            Part("crm.customers", 2, n // 2, n, n, YEAR + 3600, span - 3600),
            Part("usage.events", 1, events, 0, n, YEAR, span),
            Part("billing.payments", 1, events // 3, 0, n, YEAR, span),
            Part("support.tickets", 1, events // 24, 0, n, YEAR, span),
        ]

    def day(self, day: int, batch: int) -> list[Part]:
        """Return what comes in on a day, counted from the year's first."""
        return self.later(day, DAY_SECONDS, batch, self.changed, self.events)

    def one_hour(self, day: int, batch: int) -> list[Part]:
        """Return what comes in in the first hour of a day."""
        return self.later(day, 3600, batch, self.changed // 24, self.hour)

    def later(self, day: int, seconds: int, batch: int, changed: int, events: int) -> list[Part]:
        """Return what comes in within so many seconds of a day: changed customers, and events."""
        since, first = YEAR + day * DAY_SECONDS, 1_000_000_000 * batch
        rows = {
            "crm.customers": changed,
            "usage.events": events,
            "billing.payments": events // 3,
            "support.tickets": events // 24,
        }
        return [
            Part(name, batch, max(count, 1), first, self.customers, since, seconds)
            for name, count in rows.items()
        ]


def put(session: "SparkSession", sources: dict[str, Source], folder: Path, part: Part) -> None:
    """Write a batch as Parquet, and the same rows into the raw table, as a load would."""
    source = sources[part.source]
    columns = loader._columns(source) | loader.LOADED
    given = session.sql(part.query())
    moment = "_committed_at" if part.source == "crm.customers" else "timestamp(emitted_at)"
    traced = {
        "_source_file": f"'bench-{part.number}'",
        "_source_row": "monotonically_increasing_id()",
        "_delivered_at": moment,
        "_landed_at": moment,
        "_batch": f"{part.number}L",
        "_landing_object": f"'bench-{part.number}'",
    }
    told = [
        name if name in given.columns else f"cast({traced.get(name, 'null')} as {kind}) as {name}"
        for name, kind in columns.items()
    ]
    given.selectExpr(*told).createOrReplaceTempView("given")
    # Rows come in the order of time: a file a day and task, without a shuffle.
    session.sql(f"insert into lake.{source.raw_table} select * from given")  # noqa: S608
    if part.source in PEERS_READ.values():
        landed = session.table(f"lake.{source.raw_table}").where(f"_batch = {part.number}")
        landed.write.parquet(f"file://{folder / source.full_name / str(part.number)}")
    session.sql(
        f"insert into {journal.TABLE} select '{source.full_name}', {part.number}, 'file', "  # noqa: S608
        f"'{source.raw_table}', min(_landed_at), 1, count(*), count(*), 0, array(), null "
        f"from lake.{source.raw_table} where _batch = {part.number}"
    )


# On a day more customers change than on those of the year before, which drift would tell.
BUILD = ["build", *NO_UNIT_TESTS, "--exclude", "mon_drift__holds"]
# What is left out besides, in what is built after each delivery.
STEPS: dict[str, list[str]] = {
    "full": [],
    "day": [],
    # A day that is an as-of date, and so has a new row for every customer.
    "as-of day": [],
    "hour": ["tag:daily"],
}


# From when to when a node ran.
Span = tuple[datetime, datetime]


def build(left_out: list[str], environment: dict[str, str]) -> tuple[float, dict[str, Span]]:
    """Seconds of a build with its tests, and when each node ran."""
    started = time.monotonic()
    cdp(*BUILD, *left_out, environment=environment)
    seconds = time.monotonic() - started
    found = json.loads((ROOT / "target" / "run_results.json").read_text())["results"]
    ran = {
        node["unique_id"].split(".", 2)[2]: [
            datetime.fromisoformat(phase[end])
            for phase in node["timing"]
            for end in ("started_at", "completed_at")
        ]
        for node in found
    }
    return seconds, {name: (min(times), max(times)) for name, times in ran.items() if times}


def covered(spans: Iterable[Span]) -> float:
    """Seconds in which at least one of them was under way."""
    seconds, until = 0.0, datetime.min.replace(tzinfo=UTC)
    for start, end in sorted(spans):
        seconds += max((end - max(start, until)).total_seconds(), 0)
        until = max(until, end)
    return seconds


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
    """The two marts in plain PySpark, anew from all Parquet. Seconds."""
    started = time.monotonic()
    for view, source in PEERS_READ.items():
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
    for view, source in PEERS_READ.items():
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


@dataclass
class Run:
    """Seconds of one size: of each step, of its nodes, and of the peers."""

    size: Size
    seconds: dict[str, float] = field(default_factory=dict)
    nodes: dict[str, dict[str, Span]] = field(default_factory=dict)
    peers: dict[str, float] = field(default_factory=dict)

    def ratio(self, step: str) -> float:
        return self.seconds[step] / self.seconds["full"]

    def shared(self, step: str) -> float:
        """Seconds in which the nodes were built that lead to the two marts of the peers."""
        return covered(span for name, span in self.nodes[step].items() if name in SHARED)


@dataclass(frozen=True)
class Bench:
    """A size, on a stack of its own in a folder that goes afterwards."""

    size: Size
    memory: str
    with_peers: bool
    folder: Path

    def settings(self) -> dict[str, str]:
        return {
            "CDP_STATE_DIR": str(self.folder / "state"),
            "CDP_PORT_OFFSET": "1700",
            "CDP_SPARK_DRIVER_MEMORY": self.memory,
            "CDP_FEATURE_EVERY_DAYS": str(EVERY),
        }

    @contextmanager
    def stack(self) -> Iterator[tuple[Settings, dict[str, str]]]:
        """Up, with the settings of this process and the environment of others set to it."""
        theirs = ("CDP_", "SPARK_", "DBT_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(theirs)}
        environment |= self.settings()
        os.environ.update(self.settings())
        try:
            cdp("up", environment=environment)
            s = settings()
            os.environ.update(s.environment())
            yield s, environment
        finally:
            disconnect(settings())
            cdp("down", "--data", environment=environment)
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self) -> Run:
        """In a process of its own: what belongs to a stack, such as its session, ends with it."""
        with self.stack() as (s, environment):
            return self.measure(connect(s), s, environment)

    def measure(self, session: "SparkSession", s: Settings, environment: dict[str, str]) -> Run:
        done = Run(self.size)
        sources = read_all(s.sources_dir)
        for name in ROWS:
            loader._make_table(session, sources[name])
        journal.make_table(session)
        rows = {
            "full": self.size.year(),
            "day": self.size.day(DAYS, 3),
            "as-of day": self.size.day(DAYS + 1, 4),
            "hour": self.size.one_hour(DAYS + 2, 5),
        }
        parquet = self.folder / "parquet"
        for step, left_out in STEPS.items():
            for part in rows[step]:
                put(session, sources, parquet, part)
            done.seconds[step], done.nodes[step] = build(left_out, environment)
            print(f"  {step}: {done.seconds[step]:.1f} s", flush=True)
            nodes = done.nodes[step].items()
            took = [((end - start).total_seconds(), name) for name, (start, end) in nodes]
            for seconds, name in sorted(took, reverse=True)[:12]:
                print(f"    {seconds:7.1f} {name}", flush=True)
            if step == "day" and self.with_peers:
                done.peers["PySpark"] = textbook(session, parquet, self.folder / "spark")
                done.peers["DuckDB"] = duck(parquet, self.folder / "duck", self.memory)
                print(f"  {done.peers}", flush=True)
                agree(session, self.folder / "spark", self.folder / "duck")
        return done


def report(half: Run, whole: Run, others: list[Run]) -> None:
    runs = [whole, *others]
    limits = {"day": DAY_LIMIT, "as-of day": DAY_LIMIT, "hour": HOUR_LIMIT}
    costs = [
        [
            f"{r.size.customers:,}",
            f"{r.size.events_a_customer * r.size.customers / 1e6:,.0f}",
            *(f"{r.seconds[step]:,.0f}" for step in STEPS),
            *(f"{100 * r.ratio(step):.1f} %" for step in limits),
        ]
        for r in runs
    ]
    doubled = [
        [
            step,
            f"{half.seconds[step]:.0f}",
            f"{whole.seconds[step]:.0f}",
            f"{whole.seconds[step] / half.seconds[step]:.2f}",
        ]
        for step in STEPS
    ]
    peers = [
        [
            f"{r.size.customers:,}",
            f"{r.shared('full'):,.0f}",
            f"{r.shared('day'):,.0f}",
            *(f"{seconds:,.0f}" for seconds in r.peers.values()),
        ]
        for r in runs
    ]
    change = f"{whole.size.changed:,} customers and {whole.size.events:,} events"
    write(
        "transform",
        table(
            [
                "customers",
                "million events",
                *(f"{step}, s" for step in STEPS),
                *(f"{step} by full" for step in limits),
            ],
            costs,
        ),
        f"Of a full build a day may cost {100 * DAY_LIMIT:.0f} %, the hour "
        f"{100 * HOUR_LIMIT:.0f} %. All with their data tests.",
        table(
            [
                f"the same change: {change}",
                f"of {half.size.customers:,}, s",
                f"of {whole.size.customers:,}, s",
                "ratio",
            ],
            doubled,
        ),
        f"A day may cost {DOUBLE_LIMIT} times as much in a table twice as large, unless it is an "
        "as-of date, which has a row for every customer.",
        table(
            [
                "`dim_customers` and `fct_usage_daily` of",
                "here, from nothing, s",
                "here, the day, s",
                "PySpark, s",
                "DuckDB, s",
            ],
            peers,
        ),
        "Peers do all of it again each day, and nothing else. Here it is the time in which models "
        "that lead to the two marts are built, beside other models and tests on the same cores.",
    )
    late = [
        f"{step} of {r.size.customers:,}: {r.ratio(step):.3f}, limit {limit}"
        for r in runs
        for step, limit in limits.items()
        if r.ratio(step) > limit
    ]
    ratio = whole.seconds["day"] / half.seconds["day"]
    late += [f"doubled: {ratio:.2f}, limit {DOUBLE_LIMIT}"] if ratio > DOUBLE_LIMIT else []
    if late:
        sys.exit("\n".join(late))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--events", type=float, nargs="+", default=[24.0, 2.0])
    parser.add_argument("--memory", default="8g", help="of Spark's driver, and DuckDB's limit")
    given = parser.parse_args()
    sizes = [
        Size(n, each, n // 100, int(n * each / DAYS))
        for n, each in zip(given.customers, given.events, strict=True)
    ]
    half = replace(sizes[0], customers=sizes[0].customers // 2)
    done: list[Run] = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for size in (half, *sizes):
            print(size, flush=True)
            # On disk: /tmp may be memory.
            folder = Path(tempfile.mkdtemp(prefix="cdp-bench-", dir="/var/tmp"))
            bench = Bench(size, given.memory, size is not half, folder)
            done.append(pool.submit(bench.run).result())
    report(done[0], done[1], done[2:])


if __name__ == "__main__":
    main()
