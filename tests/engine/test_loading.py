"""What loading refuses, and what it has nothing to do for."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdp import objects
from cdp.catalog import Catalog
from cdp.landing.batch import Batch
from cdp.landing.ledger import Input, Ledger
from cdp.landing.source import find
from cdp.loading import commits
from cdp.upkeep import maintain
from tests.support.chaos import source
from tests.support.landing import FILES, ROWS, keys, write_files, write_source
from tests.support.stack import CDP, Stack


def deliver(stack: Stack, table: str, *names: str) -> None:
    """Put an object with one row into the inbox, for each name."""
    found = stack.settings()
    for name in names:
        body = json.dumps({"schedule": 1, "event_id": name}).encode()
        key = f"inbox/chaos/{table}/{name}.jsonl"
        objects.client(found).put_object(Bucket=found.bucket, Key=key, Body=body)


def remove(stack: Stack, prefix: str) -> int:
    """Delete the objects below a prefix. Returns how many there were."""
    found = stack.settings()
    s3 = objects.client(found)
    keys = list(objects.keys(s3, found.bucket, prefix))
    for key in keys:
        s3.delete_object(Bucket=found.bucket, Key=key)
    return len(keys)


def rows(stack: Stack, table: str) -> int:
    (row,) = stack.query(f"select count(*) as n from raw.chaos_{table}")  # noqa: S608
    return int(row["n"])


@pytest.mark.parametrize("lost", ["snapshots", "ledger"])
def test_a_load_that_would_double_rows_is_refused(stack: Stack, tmp_path: Path, lost: str) -> None:
    source(tmp_path, lost)
    folder = str(tmp_path)
    deliver(stack, lost, "a")
    stack.cdp("land", "chaos", CDP_SOURCES_DIR=folder)
    stack.cdp("load", "chaos", CDP_SOURCES_DIR=folder)
    if lost == "snapshots":
        # Another client's upkeep, which leaves nothing of what it expires.
        table = f"raw.chaos_{lost}"
        stack.spark(
            f"call lake.system.rewrite_data_files('{table}', options => map('rewrite-all', 'true'))"
        )
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        stack.spark(f"call lake.system.expire_snapshots('{table}', timestamp '{now}', 1)")
        expected = "no snapshot of it says of which batches"
    else:
        assert remove(stack, "ledger/chaos/ledger/")
        expected = "its ledger has not"
    deliver(stack, lost, "b")
    if lost == "snapshots":
        stack.cdp("land", "chaos", CDP_SOURCES_DIR=folder)
    assert expected in stack.refused("load", "chaos", CDP_SOURCES_DIR=folder)
    assert rows(stack, lost) == 1


def test_a_table_says_itself_what_it_holds(stack: Stack, tmp_path: Path) -> None:
    """Past the life of its snapshots too; rolled back, it is loaded from there on."""
    source(tmp_path, "own")
    folder, table = str(tmp_path), "raw.chaos_own"

    def load(*names: str) -> str:
        deliver(stack, "own", *names)
        stack.cdp("land", "chaos", CDP_SOURCES_DIR=folder)
        return stack.cdp("load", "chaos", CDP_SOURCES_DIR=folder)

    load("a")
    assert "1 rows loaded, 2 in all" in load("b")
    state = Catalog(stack.settings()).load(table)
    assert state
    assert commits.held(state, find("chaos.own", tmp_path)) == 2
    # One commit a batch, and the journal has them too.
    assert len(state.snapshots) == 2
    parent = state.snapshots[state.head() or -1]["parent-snapshot-id"]
    stack.spark(f"call lake.system.rollback_to_snapshot('{table}', {parent})")
    assert "1 rows loaded, 2 in all" in load()
    assert "1 rows loaded, 3 in all" in load("c")

    with stack.session() as session:
        catalog, now = Catalog(stack.settings()), datetime.now(UTC)
        maintain.remember(table, now, session, catalog)
        # A commit of somebody else, which says nothing of batches.
        session.table(f"lake.{table}").limit(0).writeTo(f"lake.{table}").append()
        session.sql(
            f"call lake.system.expire_snapshots('{table}', timestamp '{now:%Y-%m-%d %H:%M:%S.%f}')"
        )
    state = Catalog(stack.settings()).load(table)
    assert state
    assert len(state.snapshots) == 1
    assert "0 rows loaded, 3 in all" in load()
    assert "1 rows loaded, 4 in all" in load("d")
    names = stack.query(f"select event_id from {table} order by 1")  # noqa: S608
    assert [row["event_id"] for row in names] == ["a", "b", "c", "d"]
    batches = "select batch from monitoring.mon_landed_batches where source_name = 'chaos.own'"
    assert [row["batch"] for row in stack.query(f"{batches} order by 1")] == [1, 2, 3, 4]


def test_of_two_loads_at_once_one_brings_the_rows(stack: Stack, tmp_path: Path) -> None:
    sources = str(write_source(tmp_path / "src", "twice"))
    stack.cdp("land", "fault.twice", *write_files(tmp_path), CDP_SOURCES_DIR=sources)
    loads = [
        subprocess.Popen(
            [CDP, "load", "fault.twice"], env=stack.environment(CDP_SOURCES_DIR=sources)
        )
        for _ in range(3)
    ]
    assert [load.wait(timeout=180) for load in loads] == [0, 0, 0]
    counts = "select count(*) as n, count(distinct id) as ids from raw.fault_twice"
    assert stack.query(counts) == [{"n": FILES * ROWS, "ids": FILES * ROWS}]
    known = (
        "select count(*) as n from monitoring.mon_landed_batches where source_name like 'fault.t%'"
    )
    assert stack.query(known) == [{"n": FILES}]


def test_a_batch_whose_object_is_gone_stops_the_load_until_it_is_replaced(
    stack: Stack, tmp_path: Path
) -> None:
    sources = str(write_source(tmp_path / "src", "gone"))
    path, other, *_ = write_files(tmp_path)
    stack.cdp("land", "fault.gone", path, CDP_SOURCES_DIR=sources)
    assert remove(stack, "landing/fault/gone/")
    line = stack.refused("load", "fault.gone", CDP_SOURCES_DIR=sources)
    assert "a landed object is gone: s3a://" in line
    stack.cdp("land", "fault.gone", path, "--again", CDP_SOURCES_DIR=sources)
    assert f"{ROWS} rows loaded" in stack.cdp("load", "fault.gone", CDP_SOURCES_DIR=sources)
    # What cannot be landed again is left out when somebody says so.
    stack.cdp("land", "fault.gone", other, CDP_SOURCES_DIR=sources)
    remove(stack, "landing/fault/gone/")
    stack.refused("load", "fault.gone", CDP_SOURCES_DIR=sources)
    without = ("load", "fault.gone", "--without", "3")
    assert f"0 rows loaded, {ROWS} in all" in stack.cdp(*without, CDP_SOURCES_DIR=sources)
    # It is not reconciled until its file has landed again, even so.
    stack.cdp("land", "fault.gone", other, "--again", CDP_SOURCES_DIR=sources)
    assert f"{ROWS} rows loaded" in stack.cdp("load", "fault.gone", CDP_SOURCES_DIR=sources)


def test_a_batch_without_rows_is_loaded_and_reconciled(stack: Stack, tmp_path: Path) -> None:
    """An empty table's snapshot, or a minute without events."""
    source(tmp_path, "nothing")
    ledger = Ledger(find("chaos.nothing", tmp_path), stack.settings())
    with Batch(ledger) as batch:
        assert batch.land(1, "objects", [Input("inbox/chaos/nothing/0.jsonl", "0" * 64)])
    assert "0 rows loaded, 0 in all" in stack.cdp("load", "chaos", CDP_SOURCES_DIR=str(tmp_path))
    deliver(stack, "nothing", "a")
    stack.cdp("land", "chaos", CDP_SOURCES_DIR=str(tmp_path))
    stack.cdp("load", "chaos", CDP_SOURCES_DIR=str(tmp_path))
    assert rows(stack, "nothing") == 1


def test_two_runs_that_land_one_file_at_once_write_one_object(stack: Stack, tmp_path: Path) -> None:
    sources = str(write_source(tmp_path / "src", "race"))
    (path, *_) = write_files(tmp_path)
    runs = [
        subprocess.Popen(
            [CDP, "land", "fault.race", path],
            env=stack.environment(CDP_SOURCES_DIR=sources),
            stdout=subprocess.DEVNULL,
        )
        for _ in range(3)
    ]
    assert [run.wait(timeout=120) for run in runs] == [0, 0, 0]
    assert len(keys(stack, "landing/fault/race/")) == len(keys(stack, "ledger/fault/race/")) == 1
    assert keys(stack, "staged/fault/race/") == []
    assert f"{ROWS} rows loaded" in stack.cdp("load", "fault.race", CDP_SOURCES_DIR=sources)
