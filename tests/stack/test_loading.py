"""What loading refuses, and what it has nothing to do for."""

import json
from pathlib import Path

import pytest

from cdp import objects
from cdp.catalog import Catalog
from cdp.landing.batch import Batch
from cdp.landing.ledger import Input, Ledger
from cdp.landing.source import find
from tests.conftest import Stack
from tests.stack.test_exactly_once import source


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
