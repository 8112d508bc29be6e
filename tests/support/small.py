"""Fixtures of tests that need no engine: their stack is the small one."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.captured import Table, captured
from tests.support.stack import Stack
from tests.support.tables import Tables, published


@pytest.fixture(scope="session")
def stack(small_stack: Stack) -> Stack:
    """Object store, catalog and Postgres."""
    return small_stack


@pytest.fixture
def table(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Table]:
    """A table of the test's own, with a primary key and the usual columns, and its source."""
    # A name of Postgres has at most 63 bytes, and a slot's holds it.
    digest = sha256(request.node.name.encode()).hexdigest()[:6]
    name = f"{request.node.originalname.removeprefix('test_')[:24]}_{digest}"
    with captured(stack, tmp_path / "src", name) as made:
        yield made


@pytest.fixture
def tables(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Tables]:
    """Tables in a namespace of the test's own."""
    with published(stack, request.node.name) as made:
        yield made
