"""Tables are compacted and their history is forgotten, beside writers and readers."""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from cdp import objects
from cdp.publish import lease
from cdp.publish.publisher import new_id, tag
from cdp.upkeep import maintain
from tests.support.checkout import Checkout
from tests.support.stack import CDP, Stack
from tests.support.upkeep import Keeper, keeping, table_of

WEED = str(Path(sys.executable).with_name("weed"))
SMALL_FILES, FEW = 2000, 400
SCAN = "select count(*) as n, sum(length(payload)) as letters from upkeep.small"


@pytest.fixture(scope="module")
def keeper(stack: Stack) -> Iterator[Keeper]:
    with keeping(stack) as found:
        yield found


@dataclass(frozen=True)
class Small:
    """A table of many small files: their number, and the snapshot."""

    files: int
    snapshot: int


@pytest.fixture(scope="module")
def small(keeper: Keeper, full: bool) -> Small:
    number = SMALL_FILES if full else FEW
    with keeper.stack.session() as session:
        session.sql("create table lake.upkeep.small (id bigint, payload string) using iceberg")
        rows = session.range(number * 100).selectExpr("id", "sha2(string(id), 256) as payload")
        rows.repartition(number).writeTo("lake.upkeep.small").append()
    (snapshot,) = keeper.snapshots("small")
    assert keeper.files("small") == number
    return Small(number, snapshot)


def seconds(stack: Stack, sql: str) -> float:
    """What a query takes, the median of three."""
    taken = []
    for _ in range(3):
        began = time.monotonic()
        stack.query(sql)
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


def test_many_small_files_become_few_and_a_scan_gets_faster(keeper: Keeper, small: Small) -> None:
    stack = keeper.stack
    before, slow = stack.query(SCAN), seconds(stack, SCAN)
    assert f"{small.files:,} to 1 files" in keeper.keep("small")
    assert stack.query(SCAN) == before
    assert slow / seconds(stack, SCAN) > 2
    # Time travel within retention still works.
    assert stack.query(f"{SCAN} for version as of {small.snapshot}") == before
    was, now = keeper.health("small")
    assert (was["moment"], now["moment"]) == ("before", "after")
    assert (was["small_files"], was["files"], now["files"]) == (small.files, small.files, 1)
    assert was["rows"] == now["rows"] == small.files * 100


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
