"""Change data capture: what has landed, replayed, is the table, whatever happened in between."""

import csv
import io
import json
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp import objects
from cdp.landing.ledger import Ledger
from cdp.landing.source import find
from cdp.stack.supervisor import Supervisor
from tests.conftest import CDP, Stack
from tests.stack.test_faults import wait_for

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
        """All that has landed, in the order of the log; a truncate before a snapshot's rows."""
        found = self.stack.settings()
        s3 = objects.client(found)
        tables = [
            pq.read_table(io.BytesIO(s3.get_object(Bucket=found.bucket, Key=key)["Body"].read()))
            for key in objects.keys(s3, found.bucket, f"landing/cap/{self.name}/")
        ]
        rows = pa.concat_tables(tables, promote_options="default").to_pylist()
        return sorted(rows, key=lambda r: (r["_lsn"], r["_source_row"], r["_op"] != "t"))

    def replay(self) -> list[tuple[str | None, ...]]:
        """The table as what has landed tells it. Fails when a change has landed twice."""
        rows = self.landed()
        once = Counter((r["_lsn"], r["_source_row"], r["_op"], r[self.key]) for r in rows)
        assert set(once.values()) <= {1}, once.most_common(3)
        changes = [(r["_lsn"], r["_source_row"]) for r in rows if r["_source_row"]]
        assert len(changes) == len(set(changes))
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


@pytest.fixture
def table(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Table]:
    """A table of the test's own, with a primary key and the usual columns, and its source."""
    name = request.node.originalname.removeprefix("test_")[:30]
    made = Table(stack, tmp_path / "src", name)
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


# What lands.


def test_snapshot_and_changes_are_the_table(table: Table) -> None:
    table.sql("alter table $t alter name set storage external, add \"Odd Näme\" text default ''")
    table.sql("alter table $t add double numeric generated always as (amount * 2) stored")
    table.sql(fill(1, 50), "update $t set name = null where id < 5")
    table.sql("update $t set name = E'a\\n\"b\",\\\\N' where id = 5")
    assert "a snapshot of 50 rows has landed" in table.capture()
    table.assert_whole()
    table.sql(
        fill(51, 60),
        "update $t set name = repeat('large', 2000) where id = 7",
        "update $t set flag = null where id = 7",  # the large value is not sent again
        "update $t set id = 700 where id = 8",
        "delete from $t where id in (9, 10)",
    )
    assert "16 changes landed" in table.capture()
    table.assert_whole()
    found = table.landed()
    assert [r["_unchanged"] for r in found if r["_unchanged"]] == ['["name"]']
    assert all(r["_source_file"] == f"public.cap_{table.name}" for r in found)
    by_key = {r["id"]: r for r in found if r["_op"] == "d"}
    assert set(by_key) == {"8", "9", "10"}
    assert by_key["9"]["name"] is None
    assert "0 changes in 0 batches" in table.capture()
    table.sql("truncate $t", fill(1, 3))
    table.capture()
    table.assert_whole()


def test_whole_old_rows_are_told_with_replica_identity_full(table: Table) -> None:
    table.sql("drop table $t", f"create table $t {COLUMNS.replace(' primary key', '')}")
    assert "no primary key and no replica identity" in table.refused()
    table.sql("alter table $t replica identity full, alter name set storage external")
    table.sql(fill(1, 5), "update $t set name = repeat('large', 2000) where id = 2")
    table.capture()
    table.sql("update $t set id = 20, flag = null where id = 2", "delete from $t where id = 3")
    table.capture()
    table.assert_whole()
    (deleted,) = (r for r in table.landed() if r["_op"] == "d" and r["id"] == "3")
    assert deleted["name"] == "name 3"


def test_order_of_commits_is_kept_when_transactions_overlap(table: Table) -> None:
    """The later commit began first: what it was sent with must not confirm the other."""
    table.sql(fill(1, 3))
    table.capture()
    early = table.connect()
    with early.cursor() as cursor, table.running("--flush", "1h") as process:
        cursor.execute("begin")
        cursor.execute(f"insert into public.cap_{table.name} values (100, 'early')")  # noqa: S608
        table.sql("insert into $t values (101, 'late')")
        table.sql("analyze $t")  # the table is described again, in a message without an LSN
        table.sql("insert into $t values (102)")
        cursor.execute("commit")
        end = table.wait_until_sent()
        position = table.ledger.last().position  # type: ignore[union-attr]
        assert position
        assert position.lsn <= table.confirmed() < end
        process.kill()
    early.close()
    table.capture()
    table.assert_whole()


def test_end_lands_what_was_gathered(table: Table) -> None:
    table.capture()
    with table.running("--flush", "1h") as process:
        table.sql(fill(1, 10))
        table.wait_until_read()
        table.wait_until_sent()
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 0, said
    table.assert_whole()


# What happens in between.


def test_kills_lose_and_double_nothing(table: Table) -> None:
    table.sql(fill(1, 20_000))
    moments = random.Random(7)  # noqa: S311
    kills = 0
    with writing(table):
        while kills < 5 or table.ledger.length() < 4:
            with table.running() as process, pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=moments.uniform(0.9, 2.5) + kills / 10)
            kills += 1
    table.capture()
    table.assert_whole()


def test_large_transaction_is_landed_in_parts(table: Table) -> None:
    """Killed between the parts, the rest lands, and the transaction is not confirmed before."""
    table.capture()
    before = table.confirmed()
    table.sql(fill(1, 60_000))
    code = (
        "import sys; from cdp.settings import settings; from cdp.landing.source import select;"
        "from cdp.capture.runner import capture; from cdp.capture.gather import Options;"
        "chosen = select(sys.argv[1], settings().sources_dir);"
        "capture(chosen, settings(), Options(once=True, rows=4000), print)"
    )
    command = [sys.executable, "-c", code, f"cap.{table.name}"]
    process = subprocess.Popen(command, env=table.environment, stdout=subprocess.DEVNULL)
    ledger = table.ledger
    wait_for(lambda: ledger.length() >= 3)
    process.kill()
    process.wait()
    parts = ledger.length()
    assert parts < 16
    last = ledger.last()
    assert last
    assert last.position
    assert not last.position.complete
    assert before <= table.confirmed() < last.position.lsn
    table.capture()
    assert ledger.length() == parts + 1
    table.assert_whole()
    assert len(table.landed()) == 60_000


def test_postgres_is_killed_and_comes_back(table: Table) -> None:
    table.sql(fill(1, 1000))
    with table.running() as process, writing(table, seed=2) as writer:
        ledger = table.ledger
        wait_for(lambda: ledger.length() >= 2)
        psutil.Process(table.stack.pid("postgres")).kill()
        done = writer.done
        wait_for(lambda: writer.done > done + 20)
        length = ledger.length()
        wait_for(lambda: ledger.length() > length)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert "Postgres went away, trying again" in said
    table.capture()
    table.assert_whole()


def test_store_is_away_and_comes_back(table: Table) -> None:
    table.sql(fill(1, 10))
    table.capture()
    supervisor = Supervisor(table.stack.state_dir)
    ledger = table.ledger
    with table.running() as process:
        table.sql(fill(11, 20))
        wait_for(lambda: ledger.length() == 2)
        last = ledger.last()
        try:
            supervisor.call("stopProcess", "store")
            table.sql(fill(21, 30))
            end = table.wait_until_sent()
            table.sql(fill(31, 40))
            assert last
            assert last.position
            assert table.confirmed() < end
            assert process.poll() is None
        finally:
            table.stack.cdp("up")
        wait_for(lambda: ledger.length() > 2)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
    table.capture()
    table.assert_whole()


def test_store_that_stays_away_is_told(table: Table) -> None:
    table.capture()
    table.sql(fill(1, 10))
    supervisor = Supervisor(table.stack.state_dir)
    with table.running("--patience", "1s") as process:
        try:
            table.wait_until_read()
            supervisor.call("stopProcess", "store")
            table.sql(fill(11, 20))
            said, _ = process.communicate(timeout=60)
        finally:
            table.stack.cdp("up")
        assert process.returncode == 1
        assert "error: the object store does not" in said
        assert "Traceback" not in said
    table.capture()
    table.assert_whole()


# Changes of the table.


def test_column_that_is_added_lands_from_its_first_change(table: Table) -> None:
    table.sql(fill(1, 5))
    with table.running() as process:
        table.sql(fill(6, 7), "alter table $t add \"New One\" text", fill(8, 9).replace(
            "now()", "now(), 'new'"))  # fmt: skip
        ledger = table.ledger

        def rows() -> int:
            return sum(entry.received for entry in ledger.entries())

        wait_for(lambda: rows() == 9)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    last = ledger.last()
    assert last
    assert last.columns[-1] == "new_one"
    assert [r.get("new_one") for r in table.landed()] == [None] * 7 + ["new"] * 2


def test_change_that_does_not_fit_stops_and_goes_on_when_mended(table: Table) -> None:
    table.sql(fill(1, 5))
    table.capture()
    connection = table.connect()
    with connection.cursor() as cursor:  # in one transaction: before it, and after it
        name = f"public.cap_{table.name}"
        cursor.execute(f"begin; insert into {name} values (6, 'before'), (7, 'before')")  # noqa: S608
        cursor.execute(f"alter table {name} alter amount type text using 'about ' || amount")
        cursor.execute(f"insert into {name} values (8, 'after', 'a lot'); commit")  # noqa: S608
    connection.close()
    line = table.refused()
    assert "column amount of" in line
    assert "is text, which decimal cannot hold" in line
    assert [r["id"] for r in table.landed()] == list("1234567")
    assert "is text" in table.refused()  # and nothing lands twice
    table.declare(*(d.replace("decimal", "string") for d in DECLARED))
    table.capture()
    assert [r["id"] for r in table.landed()] == list("12345678")

    table.sql("alter table $t drop flag", "insert into $t values (9)")
    assert "column flag of" in table.refused()
    mended = (d.replace("decimal", "string") for d in DECLARED)
    table.declare(*(d.replace("boolean", "boolean, optional: true") for d in mended))
    table.capture()
    assert [r["id"] for r in table.landed()] == list("123456789")


# What is refused.


def test_slot_that_is_gone_or_another_is_refused_until_a_new_snapshot(table: Table) -> None:
    table.sql(fill(1, 5))
    table.capture()
    table.sql(DROP, "delete from $t where id = 1", "insert into $t values (6)")
    assert f"slot {table.slot} is gone; changes since" in table.refused()
    assert "a snapshot of 5 rows" in table.capture("--resnapshot")
    table.assert_whole()
    # The publication is made anew: changes meanwhile were not told.
    table.sql("drop publication $s", "insert into $t values (7)")
    assert "does not hold" in table.refused()
    table.sql("create publication $s for table $t")
    assert "is not the one that has landed" in table.refused()
    table.capture("--resnapshot")
    table.sql("insert into $t values (8)")
    table.capture()
    table.assert_whole()


def test_second_capture_is_refused(table: Table) -> None:
    table.capture()
    with table.running():
        table.wait_until_read()
        assert f"another capture of cap.{table.name} runs, pid" in table.refused()


def test_what_cannot_be_captured_is_refused(table: Table) -> None:
    table.sql("create view public.cap_view as select 1 as id")
    try:
        for name, reason in {"view": "is no table", "nothing": "there is no table"}.items():
            other = Table(table.stack, table.folder, name)
            other.declare(*DECLARED)
            assert reason in other.refused()
    finally:
        table.sql("drop view public.cap_view")
    table.declare(*DECLARED, "{name: lacking, type: string}")
    assert "column lacking of" in table.refused()
    table.declare("{name: id, type: timestamp}", *DECLARED[1:])
    assert "is integer, which timestamp cannot hold" in table.refused()
    assert table.ledger.length() == 0
    table.declare(*DECLARED)
    table.capture()


def test_postgres_that_is_away_is_told(table: Table) -> None:
    supervisor = Supervisor(table.stack.state_dir)
    supervisor.call("stopProcess", "postgres")
    try:
        assert "Postgres does not answer" in table.refused()
    finally:
        table.stack.cdp("up")
