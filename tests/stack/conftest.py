"""Fixtures of tests that share the stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Stack
from tests.stack.captured import ACTIVE, COLUMNS, DECLARED, DROP, Table
from tests.stack.project import Project, environment, install
from tests.stack.test_demo import catalog
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


@pytest.fixture(scope="module")
def installed(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Somebody's project that has installed macros/iceberg."""
    with environment(stack):
        yield install(tmp_path_factory.mktemp("somebody") / "project")


@pytest.fixture
def project(
    stack: Stack, installed: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """That project, with a schema of the test's own."""
    schema = "somebody_" + request.node.originalname.removeprefix("test_")[:40].strip("_")
    monkeypatch.setenv("SOMEBODY_SCHEMA", schema)
    made = Project(stack, installed, schema)
    yield made
    made.dbt("run-operation", "forget_schema")
    assert (schema,) not in catalog(stack).list_namespaces()
