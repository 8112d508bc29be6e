"""Tables are compacted and their history is forgotten, beside writers and readers."""

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from cdp import objects
from cdp.catalog import Catalog
from cdp.publish import lease
from cdp.publish.publisher import new_id, tag
from cdp.settings import ROOT
from cdp.upkeep import maintain
from cdp.upkeep.maintain import Upkeep
from cdp.upkeep.rules import Kept
from tests.conftest import CDP, Stack
from tests.stack.checkout import Checkout
from tests.stack.test_faults import wait_for
from tests.stack.test_publish import Tables
from tests.stack.upkept import RULES

WEED = str(Path(sys.executable).with_name("weed"))
SMALL_FILES = 2000
SCAN = "select count(*) as n, sum(length(payload)) as letters from upkeep.small"


class Keeper:
    """The upkeep of tables that are not the project's, in a namespace of the tests' own."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.said: list[str] = []
        self.tables = Tables(stack, "upkeep")
        self.upkeep = Upkeep([], stack.settings(), self.said.append)

    def keep(self, name: str, **rules: Any) -> str:  # noqa: ANN401
        kept = Kept(f"upkeep.{name}", RULES.model_copy(update=rules))
        with self.stack.session() as session:
            return self.upkeep.keep(kept, session, self.tables.publisher)

    def files(self, name: str) -> int:
        (row,) = self.stack.query(f'select count(*) as n from upkeep."{name}$files"')  # noqa: S608
        return int(row["n"])

    def health(self, name: str) -> list[dict[str, Any]]:
        return self.stack.query(
            "select * from monitoring.mon_table_health "  # noqa: S608
            f"where table_name = 'upkeep.{name}' order by measured_at, moment desc"
        )

    def snapshots(self, name: str) -> set[int]:
        state = Catalog(self.stack.settings()).load(f"upkeep.{name}")
        assert state
        return set(state.snapshots)


@pytest.fixture(scope="module")
def keeper(stack: Stack) -> Iterator[Keeper]:
    found = Keeper(stack)
    yield found
    # What is left would be in the way of whoever lists the lakehouse.
    for table in found.tables.catalog.list_tables("upkeep"):
        found.tables.catalog.drop_table(table)
    found.tables.catalog.drop_namespace("upkeep")


@pytest.fixture(scope="module")
def small(keeper: Keeper) -> int:
    """A table of many small files; its snapshot."""
    with keeper.stack.session() as session:
        session.sql("create table lake.upkeep.small (id bigint, payload string) using iceberg")
        rows = session.range(SMALL_FILES * 100).selectExpr("id", "sha2(string(id), 256) as payload")
        rows.repartition(SMALL_FILES).writeTo("lake.upkeep.small").append()
    (snapshot,) = keeper.snapshots("small")
    assert keeper.files("small") == SMALL_FILES
    return snapshot


def seconds(stack: Stack, sql: str) -> float:
    """What a query takes, the median of three."""
    taken = []
    for _ in range(3):
        began = time.monotonic()
        stack.query(sql)
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


def test_two_thousand_small_files_become_few_and_a_scan_gets_faster(
    keeper: Keeper, small: int
) -> None:
    stack = keeper.stack
    before, slow = stack.query(SCAN), seconds(stack, SCAN)
    assert f"{SMALL_FILES:,} to 1 files" in keeper.keep("small")
    assert stack.query(SCAN) == before
    assert slow / seconds(stack, SCAN) > 2
    # Time travel within retention still works.
    assert stack.query(f"{SCAN} for version as of {small}") == before
    was, now = keeper.health("small")
    assert (was["moment"], now["moment"]) == ("before", "after")
    assert (was["small_files"], was["files"], now["files"]) == (SMALL_FILES, SMALL_FILES, 1)
    assert was["rows"] == now["rows"] == SMALL_FILES * 100


def test_rows_that_were_deleted_are_left_out_of_the_files(keeper: Keeper) -> None:
    with keeper.stack.session() as session:
        session.sql(
            "create table lake.upkeep.deleted using iceberg tblproperties "
            "('write.delete.mode' = 'merge-on-read') as select id from range(1000)"
        )
        session.sql("alter table lake.upkeep.deleted write ordered by id desc")
        for number in range(3):
            session.sql(f"delete from lake.upkeep.deleted where id % 10 = {number}")  # noqa: S608
    told = keeper.keep("deleted")
    assert "to 0 delete files" in told
    was, now = keeper.health("deleted")
    assert (was["delete_files"] > 0, was["rows"]) == (True, 1000)
    assert (now["delete_files"], now["rows"]) == (0, 700)
    assert keeper.stack.query("select count(*) as n from upkeep.deleted") == [{"n": 700}]
    # In the order of the table.
    ids = [row["id"] for row in keeper.stack.ask_spark("select id from lake.upkeep.deleted")]
    assert ids == sorted(ids, reverse=True)


def test_history_is_forgotten_but_for_what_tags_and_branches_hold(keeper: Keeper) -> None:
    tables = keeper.tables
    tables.make("history")
    for number in range(2, 8):
        tables.write("history", number)
    first, *others = (s.snapshot_id for s in table_of(keeper, "history").snapshots())
    with table_of(keeper, "history").manage_snapshots() as manage:
        manage.create_tag(first, tag(1)).create_branch(others[1], new_id())
    keeper.keep("history", compaction="none")
    assert {first, *others} <= keeper.snapshots("history")
    # As if the days had passed that are kept.
    keeper.keep("history", compaction="none", snapshots_keep_days=0, snapshots_keep_last=1)
    head = table_of(keeper, "history").current_snapshot()
    assert head
    assert keeper.snapshots("history") == {first, others[1], head.snapshot_id}
    assert tables.rows("history") == list(range(1, 8))
    assert tables.rows("history", tag(1)) == [1]


def table_of(keeper: Keeper, name: str) -> Any:  # noqa: ANN401
    return keeper.tables.catalog.load_table(f"upkeep.{name}")


def test_files_that_no_snapshot_names_go_when_they_are_old_enough(
    keeper: Keeper, tmp_path: Path
) -> None:
    keeper.tables.make("orphaned")
    bucket, _, folder = table_of(keeper, "orphaned").location()[5:].partition("/")
    s3 = objects.client(keeper.stack.settings())
    young, old = (f"{folder}/data/{name}/orphan.parquet" for name in ("young", "old"))
    for key in (young, old):
        s3.put_object(Bucket=bucket, Key=key, Body=b"none")
    age(keeper.stack, bucket, old, tmp_path / "entries")
    assert "1 orphan removed" in keeper.keep("orphaned")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]
    assert [o["Key"] for o in listed if o["Key"].endswith("orphan.parquet")] == [young]
    assert keeper.health("orphaned")[-1]["orphans_removed"] == 1
    assert keeper.tables.rows("orphaned") == [1]


def age(stack: Stack, bucket: str, key: str, entries: Path) -> None:
    """Let the one object of a folder be a week old.

    The store saves the entries of a folder as messages, each behind its length in four bytes, with
    moments as variable-length numbers; and it takes such a message as an update of the entry.
    """
    settings = stack.settings()
    s3 = objects.client(settings)
    (found,) = s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
    moment = int(found["LastModified"].timestamp())
    shell(stack, f"fs.meta.save -o {entries} /buckets/{bucket}/{key.rpartition('/')[0]}")
    saved = entries.read_bytes()
    # Its message is the last: the folder comes before what is in it.
    at = 4 + int.from_bytes(saved[:4], "big")
    entry = saved[at + 4 :]
    assert int.from_bytes(saved[at : at + 4], "big") == len(entry)
    aged = entry.replace(variable_length(moment), variable_length(moment - 7 * 86_400))
    with grpc.insecure_channel(f"127.0.0.1:{settings.port(18_888)}") as filer:
        filer.unary_unary("/filer_pb.SeaweedFiler/UpdateEntry")(aged, timeout=30)
    (found,) = s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
    assert found["LastModified"].timestamp() == moment - 7 * 86_400


def shell(stack: Stack, command: str) -> None:
    """A command of the store's own."""
    master = f"127.0.0.1:{stack.settings().port(9333)}"
    subprocess.run(
        [WEED, "shell", f"-master={master}"], input=command, text=True, check=True, timeout=60
    )


def variable_length(number: int) -> bytes:
    """A number as protocol buffers have it: seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def test_writers_and_readers_go_on_beside_it(keeper: Keeper) -> None:
    keeper.tables.make("busy")
    ended = threading.Event()
    counts: list[int] = []
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(2, 42):
                keeper.tables.write("busy", number)
        except BaseException as error:  # noqa: BLE001 - of a thread, told below
            failures.append(error)
        ended.set()

    def read() -> None:
        try:
            while not ended.is_set():
                (row,) = keeper.stack.query("select count(*) as n from upkeep.busy")
                counts.append(row["n"])
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    both = [threading.Thread(target=each) for each in (write, read)]
    for thread in both:
        thread.start()
    times = 0
    while not ended.is_set() or times < 2:
        keeper.keep("busy")
        times += 1
    for thread in both:
        thread.join(60)
    assert failures == []
    assert counts == sorted(counts)
    assert len(set(counts)) > 1
    assert keeper.tables.rows("busy") == list(range(1, 42))
    # What writers were in the way of is done when they are gone.
    assert "manifests left" not in keeper.keep("busy")
    assert keeper.files("busy") < 6


def test_manifests_that_a_writer_has_replaced_meanwhile_are_rewritten_all_the_same(
    keeper: Keeper,
) -> None:
    keeper.tables.make("merged")
    for number in (2, 3):
        keeper.tables.write("merged", number)
    merges = {"commit.manifest-merge.enabled": "true", "commit.manifest.min-count-to-merge": "2"}
    table_of(keeper, "merged").transaction().set_properties(merges).commit_transaction()
    with keeper.stack.session() as session:
        # Spark remembers the table as it is read here, for a while.
        assert session.table("lake.upkeep.merged").count() == 3
        keeper.tables.write("merged", 4)
        assert maintain.rewrite_manifests("upkeep.merged", session)
    assert keeper.tables.rows("merged") == [1, 2, 3, 4]


def test_a_run_that_is_held_is_published_after_it(keeper: Keeper) -> None:
    tables = keeper.tables
    tables.make("held")
    for number in range(2, 8):
        tables.write("held", number)
    tables.names = ["upkeep.held"]
    run_id = tables.run(held=8)
    assert f"not compacted, since {run_id} is held" in keeper.keep("held")
    tables.publisher.publish(tables.publisher.run(run_id))
    assert tables.rows("held") == list(range(1, 9))
    assert "8 to 1 files" in keeper.keep("held")
    assert tables.rows("held") == list(range(1, 9))


def test_it_waits_for_a_run_and_says_so(stack: Stack) -> None:
    with lease.held(stack.settings(), "a build"):
        said = stack.refused("maintain", "seeds.winsor_thresholds", "--wait", "1s")
    assert "a build" in said
    assert "[1/1] seeds.winsor_thresholds: " in stack.cdp("maintain", "seeds.winsor_thresholds")


def test_spark_killed_in_the_middle_loses_nothing_and_the_next_time_goes_on(
    keeper: Keeper, small: int
) -> None:
    stack = keeper.stack
    with stack.session() as session:
        session.sql(
            "create table lake.upkeep.killed using iceberg as select * "  # noqa: S608
            f"from lake.upkeep.small version as of {small}"
        )
        rows = session.table("lake.upkeep.killed").repartition(300)
        rows.writeTo("lake.upkeep.killed").overwritePartitions()
    counted = "select count(*) as n, sum(length(payload)) as letters from upkeep.killed"
    before = stack.query(counted)
    s3 = objects.client(stack.settings())
    bucket, _, folder = table_of(keeper, "killed").location()[5:].partition("/")

    def written() -> int:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/data/")
        return len(listed["Contents"])

    standing = written()
    command = [sys.executable, "-m", "tests.stack.upkept", "upkeep.killed"]
    keeping = subprocess.Popen(
        command, cwd=ROOT, env=stack.environment(), stdout=-1, stderr=-1, text=True
    )
    wait_for(lambda: written() > standing)
    os.kill(stack.pid("spark"), signal.SIGKILL)
    keeping.communicate(timeout=120)
    assert keeping.returncode
    assert stack.query(counted) == before
    stack.cdp("up")
    # What was committed by then is not done again.
    keeper.keep("killed")
    assert keeper.files("killed") == 1
    assert stack.query(counted) == before


def test_all_tables_have_rules_and_a_dry_run_shows_them(stack: Stack) -> None:
    shown = stack.cdp("maintain", "--dry-run")
    for table in ("raw.crm_customers", "marts.dim_customers", "monitoring.mon_publishes"):
        assert table in shown
    assert "file_target_mb 256" in shown
    assert "upkeep.small" not in shown


def test_rules_that_are_not_right_are_told_with_the_table(stack: Stack, tmp_path: Path) -> None:
    checkout = Checkout(stack, tmp_path / "checkout")
    checkout.edit(
        "models/marts/dim_customers.yml",
        "meta: {owner: customer-data}",
        "meta: {owner: customer-data, file_target_mb: 5000}",
    )
    said = checkout.run(CDP, "maintain", "marts.dim_customers", ok=False)
    assert "error: the meta of marts.dim_customers is not right: file_target_mb" in said
    assert "there is no table marts.dim" in stack.refused("maintain", "marts.dim")
