"""How Spark runs the queries of a build, by the size of the lake."""

from types import SimpleNamespace
from typing import Any

import pytest

from cdp.catalog import State
from cdp.plan.plan import Lake
from cdp.settings import Settings
from cdp.spark import SMALL, fit


def table(name: str, rows: int | None) -> State:
    """A table whose main has so many rows; None for one without a snapshot."""
    if rows is None:
        return State(name, "uuid", "", {}, {})
    return State(name, "uuid", "", {"main": 1}, {1: {"summary": {"total-records": str(rows)}}})


@pytest.mark.parametrize(("rows", "is_small"), [(0, True), (99, True), (100, False)])
def test_queries_are_interpreted_while_every_table_is_small(rows: int, is_small: bool) -> None:
    lake = Lake({t.name: t for t in (table("raw.a", rows), table("b", 0), table("c", None))})
    found: dict[str, str] = {}
    session: Any = SimpleNamespace(conf=SimpleNamespace(set=found.__setitem__))
    fit(session, lake.rows, Settings(spark_compile_rows=100))
    assert found == (SMALL if is_small else {})


def test_a_lake_without_tables_is_small() -> None:
    assert Lake({}).rows == 0
