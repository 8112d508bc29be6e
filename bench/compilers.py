"""What Spark's compilers cost and gain on a million rows: the quick one alone, both, and both with
the optimizing one late, as the local profile has it.

    python -m bench.compilers

A load and a build in small, without dbt: text is typed, the latest record of each key kept,
aggregated, and merged into a table; twice, as the first pass finds no compiled code. Each kind has
its own start; CPU seconds are those of the server.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.page import ROOT, table, write
from bench.startup import DEFAULTS, alone, cdp
from cdp.stack.supervisor import Supervisor

KINDS: dict[str, dict[str, str]] = {
    "quick alone": {"CDP_SPARK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"},
    "late": {},
    "both": {"CDP_SPARK_JAVA_OPTIONS": DEFAULTS},
}
JOB = """
create namespace if not exists lake.bench;
create or replace table lake.bench.raw using iceberg as
select string(id % 900000) as event_id, string(id % 50000) as customer_id,
    if(id % 3 = 0, 'Call', 'data') as kind, string(id % 97 + 0.25) as charge,
    string(timestamp_seconds(1700000000 + id % 2592000)) as happened_at, id as _batch
from range(1000000);
create or replace table lake.bench.latest using iceberg partitioned by (happened_on) as
select * except (recency), date(happened_at) as happened_on from (
    select event_id, customer_id, lower(trim(kind)) as kind,
        try_cast(charge as decimal(12, 2)) as charge,
        try_to_timestamp(happened_at) as happened_at,
        row_number() over (partition by event_id order by _batch desc) as recency
    from lake.bench.raw
) where recency = 1;
create or replace table lake.bench.daily using iceberg as
select customer_id, happened_on, count(*) as events, sum(charge) as charges,
    sum(sum(charge)) over (partition by customer_id order by happened_on) as so_far
from lake.bench.latest group by customer_id, happened_on;
merge into lake.bench.daily as known using (
    select customer_id, happened_on, count(*) as events, sum(charge) as charges,
        cast(0 as decimal(32, 2)) as so_far
    from lake.bench.latest where happened_on > date '2023-12-01' group by 1, 2
) as found on known.customer_id = found.customer_id and known.happened_on = found.happened_on
when matched then update set * when not matched then insert *
"""
RUN = """
import os
from cdp import spark
from cdp.settings import settings
os.environ.update(settings().environment())
session = spark.connect(settings())
for statement in os.environ["JOB"].split(";\\n"):
    session.sql(statement).collect()
"""


def passes(environment: dict[str, str]) -> list[tuple[float, float]]:
    """Seconds and CPU seconds of the first and the second pass of a new server."""
    cdp("up", environment=environment)
    pid = Supervisor(Path(environment["CDP_STATE_DIR"])).processes()["spark"]["pid"]
    found = []
    for _ in range(2):
        before, started = psutil.Process(pid).cpu_times(), time.monotonic()
        subprocess.run(
            [sys.executable, "-c", RUN], env=environment | {"JOB": JOB}, check=True, cwd=ROOT
        )
        after = psutil.Process(pid).cpu_times()
        used = after.user + after.system - before.user - before.system
        found.append((time.monotonic() - started, used))
    cdp("down", environment=environment)
    return found


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as state:
        try:
            for kind, own in KINDS.items():
                for name, (wall, used) in zip(
                    ("first", "second"), passes(alone(state, 900) | own), strict=True
                ):
                    rows.append([f"{kind}, {name} pass", f"{wall:.1f}", f"{used:.1f}"])
        finally:
            cdp("down", environment=alone(state, 900))
    write("compilers", table(["1,000,000 rows", "s", "CPU s"], rows))


if __name__ == "__main__":
    main()
