"""What it costs to write to branches, audit there and publish: beside a plain build on main.

    python -m bench.publish [--customers 300000]

The same amount of change comes day after day, and is built in turn by plain `dbt build`, with its
tests, and by `cdp build`. And how long the commits of a publish take, while which readers of
several tables may see some as they were and some as they are: at once, and one by one.
Fails when a run costs more than the project promises.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.page import ROOT, ratios, table, write
from bench.startup import cdp, timed
from bench.telco import DAYS, ROWS, Size, put
from bench.transform import BUILD, Bench
from cdp.catalog import Catalog
from cdp.landing.source import read_all
from cdp.loading import journal, loader
from cdp.publish.journal import Move
from cdp.publish.publisher import Publisher, new_id
from cdp.settings import Settings
from cdp.spark import connect, disconnect
from cdp.transform import parse

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 1.15
ROUNDS = 3
DBT = str(Path(sys.executable).with_name("dbt"))


def plain(environment: dict[str, str]) -> None:
    """dbt on main, and no more."""
    done = subprocess.run(
        [DBT, *BUILD], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stdout)


def builds(
    size: Size, folder: Path, s: Settings, environment: dict[str, str]
) -> dict[str, list[float]]:
    """Seconds of each round by kind, after a first build of a year."""
    sources = read_all(s.sources_dir)
    plainly = environment | s.environment()

    def deliver(day: int, batch: int) -> None:
        session = connect(s)
        for part in size.day(day, batch):
            put(session, sources, folder / "parquet", part)
        disconnect(s)

    session = connect(s)
    for name in ROWS:
        loader._make_table(session, sources[name])
    journal.make_table(session)
    for part in size.year():
        put(session, sources, folder / "parquet", part)
    disconnect(s)
    print(f"  a year: {timed(lambda: cdp(*BUILD, environment=environment)):.1f} s", flush=True)
    kinds: dict[str, Callable[[], object]] = {
        "dbt build, on main": lambda: plain(plainly),
        "cdp build, published": lambda: cdp(*BUILD, environment=environment),
    }
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    # The first round warms up, and is not counted.
    for at in range(ROUNDS + 1):
        for number, (kind, act) in enumerate(kinds.items()):
            deliver(DAYS + 2 * at + number, 3 + 2 * at + number)
            took = timed(act)
            print(f"  {kind}: {took:.1f} s", flush=True)
            if at:
                seconds[kind].append(took)
    return seconds


def windows(s: Settings) -> dict[str, list[float]]:
    """Milliseconds that the commits of a publish of all tables take, by how they are made."""
    tables = sorted(parse([], s).tables)
    taken: list[float] = []
    commit = Catalog.commit

    def clocked(self: Catalog, changes: object) -> None:
        taken.append(1000 * timed(lambda: commit(self, changes)))  # type: ignore[arg-type]

    found: dict[str, list[float]] = {}
    for how, at_once in {"all at once": True, "one by one": False}.items():
        publisher = Publisher(s)
        publisher._catalog.has_transactions = at_once
        found[how] = []
        for _ in range(ROUNDS):
            run_id = new_id()
            moves = publisher.begin(run_id, tables)
            publisher.journal.write(run_id, "audited")
            states = publisher._load(tables)
            still = [Move(m.table, m.old, m.old) for m in moves if m.old is not None]
            Catalog.commit = clocked  # type: ignore[method-assign]
            publisher._advance(run_id, 900_000 + len(taken), still, states)
            Catalog.commit = commit  # type: ignore[method-assign]
            publisher.journal.write(run_id, "discarded")
            found[how].append(taken[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=300_000)
    given = parser.parse_args()
    size = Size(given.customers, 4, given.customers // 100, given.customers * 4 // DAYS)
    folder = Path(tempfile.mkdtemp(prefix="cdp-bench-", dir="/var/tmp"))
    bench = Bench(size, "4g", False, folder)
    with bench.stack() as (s, environment):
        seconds = builds(size, folder, s, environment)
        taken = windows(s)
    medians = {kind: statistics.median(values) for kind, values in seconds.items()}
    base, ours = medians.values()
    write(
        "publish",
        ratios("a day of 1 %", medians),
        f"{size.customers:,} customers; medians of {ROUNDS} days of each in turn, all with dbt's "
        f"tests, the second with contracts, too. Promised: {LIMIT}.",
        table(
            ["the commits of a publish", "ms"],
            [[how, f"{statistics.median(times):.0f}"] for how, times in taken.items()],
        ),
        "For so long a reader of several tables may see some as they were and some as they are.",
    )
    if ours / base > LIMIT:
        sys.exit(f"a run costs {ours / base:.2f} of a plain build, limit {LIMIT}")


if __name__ == "__main__":
    main()
