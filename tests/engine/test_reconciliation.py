"""A table that is not what has landed is found, and found well once it is mended."""

import re
from pathlib import Path

import pytest

from cdp import objects
from tests.support.chaos import RECONCILE, source
from tests.support.stack import Stack


@pytest.mark.parametrize("change", ["delete", pytest.param("insert", marks=pytest.mark.full)])
def test_a_table_that_lost_or_gained_a_row_is_not_reconciled(
    stack: Stack, tmp_path: Path, change: str
) -> None:
    source(tmp_path, change)
    found = stack.settings()
    body = b'{"schedule": 0, "event_id": "a"}\n{"schedule": 0, "event_id": "b"}\n{'
    objects.client(found).put_object(
        Bucket=found.bucket, Key=f"inbox/chaos/{change}/1.jsonl", Body=body
    )
    stack.cdp("land", "chaos", CDP_SOURCES_DIR=str(tmp_path))
    stack.cdp("load", "chaos", CDP_SOURCES_DIR=str(tmp_path))
    table = f"lake.raw.chaos_{change}"
    if change == "delete":
        stack.spark(f"delete from {table} where event_id = 'a'")  # noqa: S608
    else:
        stack.spark(f"insert into {table} select * from {table} where event_id = 'a'")  # noqa: S608
    told = stack.cdp("build", "--select", "mon_reconciliation", ok=False)
    assert "mon_reconciliation__holds" in told
    (run_id,) = set(re.findall(r"version as of '(run_\w+)'", told))
    reconciliation = (
        "select received, landed, quarantined, loaded, is_reconciled "  # noqa: S608
        "from monitoring.mon_reconciliation{} "
        f"where source_name = 'chaos.{change}'"
    )
    rows = stack.query(reconciliation.format(f" for version as of '{run_id}'"))
    loaded = 1 if change == "delete" else 3
    assert rows == [
        {"received": 3, "landed": 2, "quarantined": 1, "loaded": loaded, "is_reconciled": False}
    ]
    # Mended, it is reconciled at the next build.
    if change == "delete":
        snapshots = f'raw."chaos_{change}$snapshots"'
        (first, *_) = stack.query(f"select snapshot_id from {snapshots} order by committed_at")  # noqa: S608
        before = f"select * from {table} version as of {first['snapshot_id']}"  # noqa: S608
        stack.spark(f"insert into {table} {before} where event_id = 'a'")
    else:
        stack.spark(f"insert overwrite {table} select distinct * from {table}")  # noqa: S608
    stack.cdp("build", *RECONCILE)
    (row,) = stack.query(reconciliation.format(""))
    assert (row["loaded"], row["is_reconciled"]) == (2, True)
