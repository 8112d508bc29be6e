"""Fixtures of tests that share the stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Stack
from tests.stack.captured import ACTIVE, COLUMNS, DECLARED, DROP, Table
from tests.stack.test_faults import wait_for


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
