"""A captured table: its source, its captures, and what has landed of it, replayed."""

import csv
import io
import json
import random
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq

from cdp import objects
from cdp.landing.ledger import Ledger
from cdp.landing.source import find
from tests.support.stack import CDP, Stack
from tests.support.waiting import wait_for

COLUMNS = (
    "(id int primary key, name text, amount numeric(12, 2), flag boolean, changed timestamptz)"
)
DECLARED = (
    "{name: id, type: integer, required: true}",
    "{name: name, type: string}",
    "{name: amount, type: decimal}",
    "{name: flag, type: boolean}",
    "{name: changed, type: timestamp}",
)
KINDS = {"r", "c", "u", "d", "t"}
NULL = "<null>"
ACTIVE = "select active_pid from pg_replication_slots where slot_name = '$s' and active"
DROP = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '$s'"
Row = dict[str, Any]


@dataclass
class Table:
    """A table at Postgres, its source, and what has landed of it."""

    stack: Stack
    folder: Path
    name: str
    key: str = "id"

    def declare(self, *columns: str) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "source.yml").write_text(
            f"{{source: cap, table: {self.name}, description: of a test, owner: nobody, "
            f"format: postgres, location: public.cap_{self.name}, key: [{self.key}], "
            f"ordering: {self.key}, columns: [{', '.join(columns)}]}}"
        )

    @property
    def slot(self) -> str:
        return f"cdp_cap_{self.name}"

    @property
    def environment(self) -> dict[str, str]:
        return self.stack.environment(CDP_SOURCES_DIR=str(self.folder))

    def connect(self) -> Any:  # noqa: ANN401 - psycopg2's
        connection = psycopg2.connect(
            self.stack.settings().postgres_dsn, options="-c timezone=UTC", connect_timeout=5
        )
        connection.autocommit = True
        return connection

    def sql(self, *statements: str) -> list[Any]:
        """Run statements, each in a transaction; the rows of the last. `$t`: table, `$s`: slot."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    named = statement.replace("$t", f"public.cap_{self.name}")
                    cursor.execute(named.replace("$s", self.slot))
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def capture(self, *options: str) -> str:
        arguments = ("capture", f"cap.{self.name}", "--once", *options)
        return self.stack.cdp(*arguments, CDP_SOURCES_DIR=str(self.folder))

    def refused(self, *options: str) -> str:
        arguments = ("capture", f"cap.{self.name}", "--once", *options)
        return self.stack.refused(*arguments, CDP_SOURCES_DIR=str(self.folder))

    @contextmanager
    def running(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """A capture in the background; killed in the end if it still runs."""
        command = [CDP, "capture", f"cap.{self.name}", "--flush", "0.1s", *options]
        process = subprocess.Popen(
            command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    @property
    def ledger(self) -> Ledger:
        return Ledger(find(f"cap.{self.name}", self.folder), self.stack.settings())

    def landed(self) -> list[Row]:
        """All that has landed, in the order of the log."""
        found = self.stack.settings()
        s3 = objects.client(found)
        tables = [
            pq.read_table(io.BytesIO(s3.get_object(Bucket=found.bucket, Key=key)["Body"].read()))
            for key in objects.keys(s3, found.bucket, f"landing/cap/{self.name}/")
        ]
        rows = pa.concat_tables(tables, promote_options="default").to_pylist()
        return sorted(rows, key=lambda r: (r["_lsn"], r["_source_row"]))

    def replay(self) -> list[tuple[str | None, ...]]:
        """The table as what has landed tells it. Fails when a change has landed twice."""
        rows = self.landed()
        once = Counter((r["_lsn"], r["_source_row"], r["_op"], r[self.key]) for r in rows)
        assert set(once.values()) <= {1}, once.most_common(3)
        changes = [(r["_lsn"], r["_source_row"]) for r in rows if r["_source_row"]]
        assert len(changes) == len(set(changes))
        # Rows of a snapshot share a place; a truncate has its own, or there would be no order.
        places = Counter((r["_lsn"], r["_source_row"]) for r in rows)
        assert all(places[r["_lsn"], r["_source_row"]] == 1 for r in rows if r["_op"] == "t")
        assert {r["_op"] for r in rows} <= KINDS
        now: dict[str, Row] = {}
        for row in rows:
            if row["_op"] == "t":
                now.clear()
            elif row["_op"] == "d":
                del now[row[self.key]]
            else:
                kept = now.get(row[self.key], {})
                for name in json.loads(row["_unchanged"] or "[]"):
                    row[name] = kept[name]
                now[row[self.key]] = row
        names = [name.lower().replace(" ", "_") for name in self.columns()]
        return sorted((tuple(row.get(n) for n in names) for row in now.values()), key=repr)

    def columns(self) -> list[str]:
        rows = self.sql(
            "select attname from pg_attribute where attrelid = '$t'::regclass and attnum > 0 "
            "and not attisdropped order by attname"
        )
        return [name for (name,) in rows]

    def rows(self) -> list[tuple[str | None, ...]]:
        """The table, as Postgres writes its values."""
        quoted = ", ".join(f'"{name}"' for name in self.columns())
        out = io.StringIO()
        connection = self.connect()
        with connection.cursor() as cursor:
            query = f"copy (select {quoted} from public.cap_{self.name}) to stdout "  # noqa: S608
            cursor.copy_expert(f"{query} (format csv, null '{NULL}')", out)
        connection.close()
        found = csv.reader(io.StringIO(out.getvalue(), newline=""))
        return sorted((tuple(None if v == NULL else v for v in row) for row in found), key=repr)

    def assert_whole(self) -> None:
        assert self.replay() == self.rows()

    def confirmed(self) -> int:
        """The LSN up to which the slot is confirmed."""
        return self.lsn("confirmed_flush_lsn", "from pg_replication_slots where slot_name = '$s'")

    def lsn(self, expression: str, source: str = "") -> int:
        """An LSN as a number, 0 when there is none."""
        found = self.sql(f"select ({expression} - '0/0')::bigint {source}")
        return int(found[0][0] or 0) if found else 0

    def wait_until_read(self) -> None:
        """Until the slot has a reader."""
        wait_for(lambda: bool(self.sql(ACTIVE)))

    def wait_until_sent(self) -> int:
        """Until the reader was sent all that is committed by now. Returns the log's end."""
        end = self.lsn("pg_current_wal_lsn()")
        sent = "from pg_stat_replication as r join pg_replication_slots as s on pid = active_pid"
        wait_for(lambda: self.lsn("sent_lsn", f"{sent} where slot_name = '$s'") >= end)
        return end


@contextmanager
def captured(stack: Stack, folder: Path, name: str) -> Iterator[Table]:
    """A table with a primary key and the usual columns, and its source, while a test runs."""
    made = Table(stack, folder, name)
    made.declare(*DECLARED)
    made.sql(f"create table $t {COLUMNS}")
    yield made
    for (pid,) in made.sql(ACTIVE):
        made.sql(f"select pg_terminate_backend({pid})")
    wait_for(lambda: not made.sql(ACTIVE))
    made.sql(DROP, "drop publication if exists $s", "drop table if exists $t")


FILL = "insert into $t select i, 'name ' || i, i * 1.1, i % 2 = 0, now() from generate_series({}) i"


def fill(first: int, last: int) -> str:
    return FILL.format(f"{first}, {last}")


class Writer(threading.Thread):
    """Inserts, updates and deletes in transactions of all sizes, until it is ended."""

    def __init__(self, table: Table, seed: int) -> None:
        super().__init__()
        self.table = table
        self.random = random.Random(seed)  # noqa: S311
        self.ended = threading.Event()
        self.done = 0

    def run(self) -> None:
        name = f"public.cap_{self.table.name}"
        next_id = 1_000_000
        connection = None
        while not self.ended.is_set():
            try:
                connection = connection or self.table.connect()
                with connection.cursor() as cursor:
                    cursor.execute("begin")
                    for _ in range(self.random.choice([1, 1, 3, 50])):
                        first = self.random.randrange(1, next_id + 1)
                        cursor.execute(
                            f"insert into {name} values ({next_id}, 'new', 1, true, now());"  # noqa: S608
                            f"update {name} set amount = amount + 1 where id between {first} "
                            f"and {first + 3}; delete from {name} where id = {first + 4};"
                            f"update {name} set id = -id where id = {first + 5}"
                        )
                        next_id += 1
                    cursor.execute(self.random.choice(["commit", "commit", "rollback"]))
                    self.done += 1
                self.ended.wait(0.01)  # leaves the capture some of the machine
            except psycopg2.Error:  # Postgres is away
                connection = None
                next_id += 1000
                self.ended.wait(0.1)
        if connection:
            connection.close()


@contextmanager
def writing(table: Table, seed: int = 1) -> Iterator[Writer]:
    writer = Writer(table, seed)
    writer.start()
    try:
        yield writer
    finally:
        writer.ended.set()
        writer.join()
