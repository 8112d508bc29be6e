"""What the SQL layer costs: a full build, days, an hour, and the jobs that people write instead.

    python -m bench.transform [--customers 1000000 5000000] [--events 24 2]

A year of a made-up telco is put into the raw tables, at each size on a stack of its own, and
built; then a day in which 1 % of the customers change, a day that is an as-of date, and an hour.
What comes to the first size is also given to a telco of half its customers. Beside them, on the
same rows, the marts the textbook way: read all Parquet, rank, join, overwrite Parquet, in plain
PySpark and in DuckDB.
Fails when something costs more than the project promises.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from bench.page import ROOT
from bench.peers import agree, duck, textbook
from bench.spark_events import costs, options
from bench.startup import cdp
from bench.telco import DAYS, ROWS, Size, put
from bench.transform_page import STEPS, Run, Span, report
from cdp.landing.source import read_all
from cdp.loading import journal, loader
from cdp.settings import Settings, settings
from cdp.spark import connect, disconnect
from cdp.transform import NO_UNIT_TESTS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LAYERS = ("seeds", "staging", "intermediate", "marts", "monitoring")
# As-of dates are each 14th day since 1970: 26 in the year, and the next on its second day after.
EVERY = 14
# On a day more customers change than on those of the year before, which drift would tell.
BUILD = ["build", *NO_UNIT_TESTS, "--exclude", "mon_drift__holds"]


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


def tables(session: "SparkSession") -> list[str]:
    """Names of all tables that a build writes to."""
    return [
        f"lake.{layer}.{row.tableName}"
        for layer in LAYERS
        for row in session.sql(f"show tables in lake.{layer}").collect()
    ]


def total(session: "SparkSession", queries: Iterable[str]) -> int:
    """Return the sum of what queries of one number give."""
    united = " union all ".join(queries)
    return int(session.sql(f"select coalesce(sum(bytes), 0) from ({united})").collect()[0][0])  # noqa: S608


def published(session: "SparkSession") -> int:
    """Bytes of the files that the tables have now."""
    return total(
        session,
        (
            f"select sum(file_size_in_bytes) as bytes from {name}.files"  # noqa: S608
            for name in tables(session)
        ),
    )


def written(session: "SparkSession", run: str) -> int:
    """Bytes of the files that a run has added to the tables."""
    return total(
        session,
        (
            "select sum(bigint(summary['added-files-size'])) as bytes "  # noqa: S608
            f"from {name}.snapshots where summary['run-id'] = '{run}'"
            for name in tables(session)
        ),
    )


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
            "CDP_SPARK_JAVA_OPTIONS": options(self.events),
        }

    @property
    def events(self) -> Path:
        return self.folder / "events"

    @contextmanager
    def stack(self) -> Iterator[tuple[Settings, dict[str, str]]]:
        """Up, with the settings of this process and the environment of others set to it."""
        theirs = ("CDP_", "SPARK_", "DBT_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(theirs)}
        environment |= self.settings()
        os.environ.update(self.settings())
        self.events.mkdir()
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
            done.published[step] = published(session)
            print(f"  {step}: {done.seconds[step]:.1f} s", flush=True)
            nodes = done.nodes[step].items()
            took = [((end - start).total_seconds(), name) for name, (start, end) in nodes]
            for seconds, name in sorted(took, reverse=True)[:12]:
                print(f"    {seconds:7.1f} {name}", flush=True)
            if step == "day" and self.with_peers:
                until = date(2024, 1, 1) + timedelta(DAYS)
                spark, db = self.folder / "spark", self.folder / "duck"
                done.peers["PySpark"] = textbook(session, parquet, spark, until, EVERY)
                done.peers["DuckDB"] = duck(parquet, db, self.memory, until, EVERY)
                for peer, spent in done.peers.items():
                    print(f"  {peer}: {sum(spent.values()):.1f} s, {spent}", flush=True)
                agree(session, spark, db)
        runs = {run: of_nodes for run, of_nodes in costs(self.events).items() if run}
        for step, (run, of_nodes) in zip(STEPS, runs.items(), strict=True):
            done.costs[step], done.written[step] = of_nodes, written(session, run)
        return done


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
