"""What a stack holds, read by neither Spark nor Trino: tables, their heads, and the last run."""

import json
from collections import Counter
from typing import Any

from cdp import lake
from tests.support.stack import CDP, Stack

RUN_TIME = {"built_at", "features_built_at"}
Row = dict[str, Any]


def catalog(stack: Stack) -> Any:  # noqa: ANN401 - PyIceberg's own class
    """The catalog through a reader that is neither Spark nor Trino."""
    return lake.open_catalog(stack.settings())


def heads(stack: Stack) -> dict[str, int]:
    """Main of every table that runs write to."""
    lake = catalog(stack)
    found = {}
    for schema in ("seeds", "staging", "intermediate", "marts"):
        for identifier in lake.list_tables(schema):
            snapshot = lake.load_table(identifier).current_snapshot()
            found[".".join(identifier)] = snapshot.snapshot_id if snapshot else 0
    return found


def last_run(stack: Stack) -> dict[str, Any]:
    (found,) = json.loads(stack.run(CDP, "runs", "--last", "1", "--json").stdout)
    run: dict[str, Any] = found
    return run


def read(stack: Stack, table: str, leave_out: set[str] = RUN_TIME, where: str = "") -> list[Row]:
    """The rows of a table, read by neither Spark nor Trino."""
    scan = catalog(stack).load_table(table).scan(**({"row_filter": where} if where else {}))
    rows: list[Row] = scan.to_arrow().to_pylist()
    return [{k: v for k, v in row.items() if k not in leave_out} for row in rows]


def content(rows: list[Row]) -> Counter[str]:
    return Counter(json.dumps(row, sort_keys=True, default=str) for row in rows)
