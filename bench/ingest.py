"""Ingestion against its peer: landing and loading against a plain Spark copy of the same rows, and
how long a commit in Postgres takes to be seen in Trino. Capture's peer: bench/capture.py.

    python -m bench.ingest [--events 10000000]

Each measure is a ratio of two things done in one run, on a stack of its own. Fails when one is
below what the project promises.
"""

import argparse
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2

from bench.page import table, write
from bench.startup import CDP, cdp
from cdp import objects
from cdp.loading import loader
from cdp.settings import Settings, settings
from cdp.spark import connect
from cdp.trino import query

FLOOR = 0.7
ROWS_AN_OBJECT = 5000
WARM = 200_000
SOURCE = """
source: bench
table: events
description: Usage events of the benchmark.
owner: nobody
format: json
location: inbox/bench/events/
key: [event_id]
ordering: emitted_at
columns:
  - {name: event_id, type: string, required: true}
  - {name: customer_id, type: string, required: true}
  - {name: event_type, type: string}
  - {name: started_at, type: timestamp}
  - {name: duration_seconds, type: integer}
  - {name: bytes, type: integer}
  - {name: is_roaming, type: boolean}
  - {name: region, type: string}
  - {name: charge, type: decimal}
  - {name: emitted_at, type: timestamp}
"""
CAPTURED = """
source: bench
table: accounts
description: A table whose rows are waited for.
owner: nobody
format: postgres
location: public.accounts
key: [account_id]
ordering: changed_at
columns:
  - {name: account_id, type: integer, required: true}
  - {name: changed_at, type: string}
"""
SAMPLES = 6
SEEN_WITHIN = 60.0
# Lines as a switch writes them; every 400th is cut off.
EVENTS = """
    select if(number % 400 = 7, line[:40], line) as line
    from (
        select number, to_json({
            event_id: printf('E%012d', number),
            customer_id: printf('%010d', hash(number) % 50000000),
            event_type: ['voice', 'sms', 'data'][(1 + hash(number, 1) % 3)::int],
            started_at: strftime(to_timestamp(1735600000 + number // 100), '%Y-%m-%dT%H:%M:%SZ'),
            duration_seconds: hash(number, 2) % 3600,
            bytes: hash(number, 3) % 1000000000,
            is_roaming: if(hash(number, 4) % 20 = 0, 'yes', 'no'),
            region: ['north', 'east', 'south', 'west'][(1 + hash(number, 5) % 4)::int],
            charge: (hash(number, 6) % 500) / 100,
            emitted_at: strftime(to_timestamp(1735600060 + number // 100), '%Y-%m-%dT%H:%M:%SZ')
        })::varchar as line
        from range($first, $last) as numbers (number)
    )
"""


def fill(s: Settings, first_event: int, events: int) -> None:
    """Put events into the inbox as small gzipped objects."""
    import duckdb

    s3 = objects.client(s)
    database = duckdb.connect()

    def put(number: int) -> None:
        first = number * ROWS_AN_OBJECT
        rows = database.cursor().execute(EVENTS, {"first": first, "last": first + ROWS_AN_OBJECT})
        body = "\n".join(line for (line,) in rows.fetchall()).encode()
        key = f"inbox/bench/events/{number:06d}.json.gz"
        s3.put_object(Bucket=s.bucket, Key=key, Body=gzip.compress(body, 1))

    with ThreadPoolExecutor(4) as pool:
        start = first_event // ROWS_AN_OBJECT
        list(pool.map(put, range(start, start + events // ROWS_AN_OBJECT)))


class Peak(threading.Thread):
    """The most memory that all processes of the stack and this one's children had together."""

    def __init__(self, state: Path) -> None:
        super().__init__(daemon=True)
        self.bytes = 0
        self._ended = threading.Event()
        self._state = str(state)

    def run(self) -> None:
        while not self._ended.wait(0.5):
            total = 0
            for process in psutil.process_iter():
                try:
                    if process.environ().get("CDP_STATE_DIR") == self._state:
                        total += process.memory_info().rss
                except psutil.Error:
                    continue
            self.bytes = max(self.bytes, total)

    def end(self) -> int:
        self._ended.set()
        self.join()
        return self.bytes


def timed(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def plain(s: Settings) -> int:
    """Read the landed Parquet and write it to an Iceberg table of the same layout. Returns rows."""
    from pyspark.sql import functions

    session = connect(s)
    session.sql("create namespace if not exists lake.bench")
    session.sql("drop table if exists lake.bench.plain purge")
    session.sql(
        "create table lake.bench.plain using iceberg partitioned by (days(_landed_at)) "
        "tblproperties ('write.distribution-mode' = 'none') "
        "as select * from lake.raw.bench_events where false"
    )
    landed = session.read.parquet(f"s3a://{s.bucket}/landing/bench/events/")
    path = functions.col("_metadata.file_path")
    batch = functions.regexp_extract(path, loader.BATCH, 1).try_cast("bigint")
    landed = landed.withColumns({"_landing_object": path, "_batch": batch})
    landed.select(*session.table("lake.bench.plain").columns).writeTo("lake.bench.plain").append()
    return int(session.table("lake.bench.plain").count())


@dataclass(frozen=True)
class Ingested:
    """Rows in the inbox, rows landed, seconds of each part, rows/s of the peer, bytes."""

    received: int
    landed: int
    land: float
    load: float
    plain: float
    peer: float
    memory: int


def ingest(s: Settings, environment: dict[str, str], events: int) -> Ingested:
    # Some events first: what a cold Spark costs is told by bench/startup.py.
    fill(s, 0, WARM)
    cdp("land", "bench.events", environment=environment)
    cdp("load", "bench.events", environment=environment)
    before = plain(s)
    fill(s, WARM, events)
    peak = Peak(s.state_dir)
    peak.start()
    land = timed(lambda: cdp("land", "bench.events", environment=environment))
    load = timed(lambda: cdp("load", "bench.events", environment=environment))
    copied: list[int] = []
    times = [timed(lambda: copied.append(plain(s))) for _ in range(2)]
    copy, rows = min(times), copied[0]
    connect(s).stop()
    return Ingested(events, rows - before, land, load, copy, rows / copy, peak.end())


def freshness(s: Settings, environment: dict[str, str]) -> list[float]:
    """Seconds from a commit in Postgres until its row is seen in Trino, of several commits, while
    `cdp capture` and `cdp load --every 30s` run."""
    database = psycopg2.connect(s.postgres_dsn)
    database.autocommit = True
    cursor = database.cursor()
    cursor.execute("create table public.accounts (account_id bigint primary key, changed_at text)")
    cdp("capture", "bench.accounts", "--once", environment=environment)
    cdp("load", "bench.accounts", environment=environment)
    commands = (["capture", "bench.accounts"], ["load", "bench.accounts", "--every", "30s"])
    running = [
        subprocess.Popen([CDP, *command], env=environment, stdout=subprocess.DEVNULL)
        for command in commands
    ]
    seconds = []
    try:
        for number in range(SAMPLES):
            cursor.execute("insert into public.accounts values (%s, now())", (number,))
            started = time.monotonic()
            sql = f"select 1 from raw.bench_accounts where account_id = '{number}'"  # noqa: S608
            while not query(sql, s).rows:
                if time.monotonic() - started > 5 * SEEN_WITHIN:
                    sys.exit("a committed row was not seen in Trino")
                time.sleep(0.2)
            seconds.append(time.monotonic() - started)
            time.sleep(7.0)  # so that commits meet the loads at different moments
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=60)
        database.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as folder:
        state, sources = Path(folder) / "state", Path(folder) / "sources"
        sources.mkdir()
        (sources / "bench_events.yml").write_text(SOURCE)
        (sources / "bench_accounts.yml").write_text(CAPTURED)
        own = {
            "CDP_STATE_DIR": str(state),
            "CDP_PORT_OFFSET": "900",
            "CDP_SOURCES_DIR": str(sources),
            "CDP_WITH_SERVICES": "postgres",
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CDP_")}
        environment = kept | own
        os.environ.update(own)
        try:
            cdp("up", environment=environment)
            s = settings()
            os.environ.update(s.environment())
            done = ingest(s, environment, events)
            seen = freshness(s, environment)
        finally:
            cdp("down", "--data", environment=environment)
    report(done, seen)


def report(done: Ingested, seen: list[float]) -> None:
    rows = [
        [name, f"{seconds:.1f}", f"{rate / 1000:,.0f}", f"{rate / done.peer:.2f}"]
        for name, seconds, rate in (
            ("land: JSON lines to Parquet", done.land, done.landed / done.land),
            ("load: Parquet to Iceberg, exactly once", done.load, done.landed / done.load),
            ("peer: Spark reads Parquet, writes Iceberg", done.plain, done.peer),
        )
    ]
    together = done.landed / (done.land + done.load) / done.peer
    write(
        "ingest",
        table(["step", "s", "thousand rows/s", "ratio to the peer"], rows),
        f"{done.received:,} events in {-(-done.received // ROWS_AN_OBJECT):,} gzipped objects, of "
        f"which {done.landed:,} rows landed. Land and load, one after the other: {together:.2f} of "
        f"the peer. Most memory, all processes together: {done.memory / 1e9:.1f} GB.",
        f"From a commit in Postgres to the row in Trino, with `cdp capture` and `cdp load --every "
        f"30s` running, {len(seen)} commits: median {statistics.median(seen):.0f} s, "
        f"longest {max(seen):.0f} s; limit {SEEN_WITHIN:.0f} s.",
    )
    if min(done.landed / done.land, done.landed / done.load) < FLOOR * done.peer:
        sys.exit(f"below {FLOOR} of the peer")
    if max(seen) > SEEN_WITHIN:
        sys.exit(f"a row was seen after more than {SEEN_WITHIN} s")


if __name__ == "__main__":
    main()
