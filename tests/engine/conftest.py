"""Fixtures of tests that share the stack."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.lived import CUTS, EVERY, FEW, Lived, live
from tests.support.project import Project, environment, install
from tests.support.reading import catalog
from tests.support.stack import SparkStack, Stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser of each module: the loop of its client would be in the way of others."""
    from tests.support.pages import launched

    with launched() as found:
        yield found


@pytest.fixture(scope="session")
def bare_stack(make_stack: Callable[..., Stack]) -> Stack:
    """A stack that is up and empty, of projects that are not this one, which Trino is not asked
    about."""
    stack = make_stack("bare", SparkStack)
    stack.up()
    return stack


@pytest.fixture(scope="module")
def installed(bare_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Somebody's project that has installed macros/iceberg."""
    with environment(bare_stack):
        yield install(tmp_path_factory.mktemp("somebody") / "project")


@pytest.fixture
def project(
    bare_stack: Stack,
    installed: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Project]:
    """That project, with a schema of the test's own."""
    schema = "somebody_" + request.node.originalname.removeprefix("test_")[:40].strip("_")
    monkeypatch.setenv("SOMEBODY_SCHEMA", schema)
    made = Project(bare_stack, installed, schema)
    yield made
    made.dbt("run-operation", "forget_schema")
    assert (schema,) not in catalog(bare_stack).list_namespaces()


@pytest.fixture(scope="session")
def lived(
    make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory, full: bool
) -> Lived:
    """The population with a life, on a stack of its own, with a catalog beside the store."""
    log = tmp_path_factory.mktemp("log")
    own = {"CDP_FEATURE_EVERY_DAYS": str(EVERY), "DBT_LOG_PATH": str(log)}
    stack = make_stack("lived", CDP_WITH_SERVICES="rest-catalog", **own)
    stack.cdp("up")
    return live(stack, log, tmp_path_factory.mktemp("changes"), CUTS if full else FEW)
