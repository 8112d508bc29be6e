"""Change data capture against pg_recvlogical, which only receives, on the same changes.

    python -m bench.capture

Runs on the stack that is up with its Postgres (`cdp up --with postgres`), in tables and slots of
its own. Both read slots of one plugin and of publications of one table; pg_recvlogical writes to
/dev/null, the capture to the store, each in turn. Fails when the capture reaches less than the
share that the project promises.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from bench.page import table, write
from cdp.capture.follow import Follower
from cdp.capture.gather import Options
from cdp.landing.source import Source, read
from cdp.settings import ROOT, settings
from cdp.stack import postgres

ROWS = 200_000
PER_TRANSACTION = {"10,000 rows": 10_000, "1 row": 1}
ROUNDS = 3
LEAST = 0.3
TABLE = "bench_customers"
OF_FILES = ("change_op", "change_seq", "committed_at")

ROW = """
    '7590-' || lpad(i::text, 8, '0'), case i % 2 when 0 then 'Female' else 'Male' end, i % 7 = 0,
    i % 2 = 0, i % 3 = 0, i % 72, true, 'No phone service', 'Fiber optic', 'Yes', 'No', 'Yes',
    'No', 'No internet service', 'Yes', 'Month-to-month', i % 2 = 1, 'Bank transfer (automatic)',
    29.85 + i % 90, 108.15 + i % 8000, i % 4 = 0, 'North', 'fibre', now(), now()
"""


def source(number: int, folder: Path) -> Source:
    """A source of the table, with a publication and a slot of its own."""
    text = (ROOT / "sources" / "crm_customers.yml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("format:", "location:"))]
    lines = [f"table: bench_{number}" if x.startswith("table:") else x for x in lines]
    # What only a file of changes has.
    lines = [x for x in lines if not any(f"name: {name}," in x for name in OF_FILES)]
    lines += ["format: postgres", f"location: public.{TABLE}"]
    path = folder / f"crm_bench_{number}.yml"
    path.write_text("\n".join(lines) + "\n")
    return read(path)


def kind(name: str) -> str:
    flags = ("senior_citizen", "partner", "dependents", "phone_service", "paperless_billing")
    if name in (*flags, "churn_label"):
        return "boolean"
    if name in ("event_timestamp", "last_updated"):
        return "timestamptz"
    if name in ("monthly_charges", "total_charges"):
        return "numeric(10, 2)"
    return "integer" if name == "tenure_months" else "text"


def capture(of: Source) -> tuple[float, int]:
    """Seconds of a capture up to now, and the changes that landed."""
    options = Options(once=True)
    follower = Follower(of, settings(), options, lambda _: None, threading.Event())
    started = time.monotonic()
    follower.run()
    return time.monotonic() - started, follower.rows


def receive(slot: str, publication: str, end: str) -> float:
    """Seconds that pg_recvlogical takes for a slot."""
    programs = postgres.package() / f"pginstall{postgres.MAJOR}" / "bin"
    command = [str(programs / "pg_recvlogical"), "--start", f"--slot={slot}", "--file=/dev/null"]
    database = settings().postgres_environment()["PGDATABASE"]
    command += [f"--dbname={database}", f"--endpos={end}", "--no-loop", "-o", "proto_version=1"]
    command += ["-o", f"publication_names={publication}"]
    environment = dict(os.environ) | settings().postgres_environment()
    started = time.monotonic()
    subprocess.run(command, env=environment, check=True)
    return time.monotonic() - started


@contextmanager
def prepared(cursor: Any, folder: Path) -> Iterator[list[Source]]:  # noqa: ANN401 - psycopg2's
    """The table, empty, with captures at its beginning and slots for the other beside them."""
    sources = [source(number, folder) for number in range(ROUNDS)]
    names = [c.name for c in sources[0].columns]
    order = sorted(names, key=lambda n: n in {"event_timestamp", "last_updated"})
    columns = ", ".join(f"{n} {kind(n)}" for n in order)
    cursor.execute(f"drop table if exists {TABLE}")
    cursor.execute(f"create table {TABLE} ({columns}, primary key (customer_id))")
    try:
        for number, each in enumerate(sources):
            options = Options(once=True, resnapshot=True)
            Follower(each, settings(), options, lambda _: None, threading.Event()).run()
            make = "select pg_create_logical_replication_slot(%s, 'pgoutput')"
            cursor.execute(make, (f"bench_{number}",))
        yield sources
    finally:
        cursor.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots "
            "where slot_name ~ '^(bench|cdp_crm_bench)_'"
        )
        for number in range(ROUNDS):
            cursor.execute(f"drop publication if exists cdp_crm_bench_{number}")
        cursor.execute(f"drop table if exists {TABLE}")


def fill(cursor: Any, size: int) -> str:  # noqa: ANN401
    """Write the rows, so many a transaction. Returns the LSN of the end."""
    insert = f"insert into {TABLE} select {ROW} from generate_series(n, n + {size - 1}) as i"  # noqa: S608
    cursor.execute("set synchronous_commit = off")
    cursor.execute(
        f"do $$ declare n int := 1; begin while n <= {ROWS} loop {insert}; commit; "
        f"n := n + {size}; end loop; end $$"
    )
    cursor.execute("set synchronous_commit = on")
    cursor.execute("select pg_logical_emit_message(true, 'bench', '')::text")
    return str(cursor.fetchone()[0])


def measure(size: int) -> tuple[float, float]:
    """Rows a second of pg_recvlogical and of the capture, medians."""
    received, captured = [], []
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as scratch:
        connection = psycopg2.connect(settings().postgres_dsn)
        connection.autocommit = True
        with connection.cursor() as cursor, prepared(cursor, Path(scratch)) as sources:
            end = fill(cursor, size)
            for number, each in enumerate(sources):
                slot = f"bench_{number}"
                received.append(ROWS / receive(slot, f"cdp_crm_bench_{number}", end))
                seconds, rows = capture(each)
                assert rows == ROWS, f"{rows} of {ROWS} changes landed"
                captured.append(ROWS / seconds)
        connection.close()
    return statistics.median(received), statistics.median(captured)


def main() -> None:
    found = {name: measure(size) for name, size in PER_TRANSACTION.items()}
    rows = [
        [name, f"{received:,.0f}", f"{captured:,.0f}", f"{captured / received:.2f}"]
        for name, (received, captured) in found.items()
    ]
    write(
        "capture",
        table(["a transaction has", "pg_recvlogical, rows/s", "capture, rows/s", "ratio"], rows),
        f"Inserts of {ROWS:,} rows of 25 columns; medians of {ROUNDS} runs of each in turn. "
        f"Promised: {LEAST}.",
    )
    if min(captured / received for received, captured in found.values()) < LEAST:
        sys.exit(f"the capture reaches less than {LEAST} of pg_recvlogical")


if __name__ == "__main__":
    main()
