"""What loading refuses, and what it has nothing to do for."""

import json
import subprocess
from pathlib import Path

import pytest

from cdp import objects
from cdp.catalog import Catalog
from cdp.landing.batch import Batch
from cdp.landing.ledger import Input, Ledger
from cdp.landing.source import find
from tests.support.chaos import source
from tests.support.landing import ROWS, keys, write_files, write_source
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


@pytest.mark.parametrize("lost", ["checkpoints/", "ledger/chaos/ledger/"])
def test_a_load_that_would_double_rows_is_refused(stack: Stack, tmp_path: Path, lost: str) -> None:
    table = lost.strip("/").split("/")[-1]
    source(tmp_path, table)
    folder = str(tmp_path)
    deliver(stack, table, "a")
    stack.cdp("land", "chaos", CDP_SOURCES_DIR=folder)
    stack.cdp("load", "chaos", CDP_SOURCES_DIR=folder)
    if table == "checkpoints":
        state = Catalog(stack.settings()).load(f"raw.chaos_{table}")
        assert state
        assert remove(stack, f"checkpoints/{state.uuid}")
        expected = "no checkpoint says of which objects"
    else:
        assert remove(stack, lost)
        expected = "its ledger has not"
    deliver(stack, table, "b")
    if table == "checkpoints":
        stack.cdp("land", "chaos", CDP_SOURCES_DIR=folder)
    assert expected in stack.refused("load", "chaos", CDP_SOURCES_DIR=folder)
    assert rows(stack, table) == 1


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
