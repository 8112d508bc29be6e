"""Tiers, and the stacks that tests share.

A test's tier is the folder that it is in. `full` marks what only the night runs: `--full`.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg2.extensions import connection

from cdp import postgres
from cdp.spark import SMALL
from cdp.stack import postgres as local
from cdp.stack.supervisor import Supervisor
from tests.support.checkout import Checkout, taken_back
from tests.support.postgres import unread
from tests.support.stack import SmallStack, Stack, free_offset

TESTS = Path(__file__).parent
# In the order in which they run: what kills comes last.
TIERS = ("unit", "store", "engine", "faults")
# What leaves other services up comes last of its tier: nothing has to be started again for it.
LAST = {"test_airflow.py"}
# Fixtures that give a stack to all tests of a session, with the name that it is made by.
SHARED = {"stack": "stack", "small_stack": "small", "bare_stack": "bare", "lived": "lived"}
# The stacks that are made, by name; and those that no test after this one asks for.
STACKS = pytest.StashKey[dict[str, Stack]]()
LEFT = pytest.StashKey[set[str]]()
# Spark interprets whatever it is asked, not builds alone.
INTERPRETED = [f"-D{name}={value}" for name, value in SMALL.items() if ".codegen." in name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="whole matrices and long populations, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its tier, order them by it, and leave out what `--full` asks for."""
    for item in items:
        item.add_marker(_tier(item))
    items.sort(key=lambda item: (TIERS.index(_tier(item)), item.path.name in LAST))
    if not config.getoption("--full"):
        left_out = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if not item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)
    asked = [(name, item) for item in items for name in getattr(item, "fixturenames", ())]
    for name, item in dict(asked).items():
        if name in SHARED:
            item.stash.setdefault(LEFT, set()).add(SHARED[name])


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """End the stacks that no test after this one asks for: one that idles takes a tenth of a core.

    Workers beside one another do not know which of them runs which test: theirs end with them.
    """
    made = item.config.stash.get(STACKS, {})
    for name in item.stash.get(LEFT, set()) & set(made):
        if "PYTEST_XDIST_WORKER" not in os.environ:
            Supervisor(made[name].state_dir).stop()


def _tier(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether matrices and populations have their whole size."""
    return bool(pytestconfig.getoption("--full"))


@pytest.fixture(scope="session")
def make_stack(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, full: bool
) -> Iterator[Callable[..., Stack]]:
    """Make stacks that are not started yet; each is ended with the session, whatever happens.

    kind: the class of the stack. extra: settings.
    """
    made: list[Stack] = []
    by_name = pytestconfig.stash.setdefault(STACKS, {})
    # Small queries by day are interpreted, on what the quick compiler makes of Spark; by night they
    # run as large ones do.
    by_day = {"CDP_SPARK_JAVA_OPTIONS": " ".join(["-XX:TieredStopAtLevel=1", *INTERPRETED])}
    always = {"CDP_SPARK_COMPILE_ROWS": "0"} if full else by_day

    def make(name: str, kind: type[Stack] = Stack, **extra: str) -> Stack:
        state_dir = tmp_path_factory.mktemp(name)
        stack = kind(state_dir, free_offset(100 + 400 * len(made)), always | extra)
        made.append(stack)
        by_name[name] = stack
        return stack

    yield make
    for stack in made:
        Supervisor(stack.state_dir).stop()
        local.remove(stack.settings())


@pytest.fixture(scope="session")
def stack(make_stack: Callable[..., Stack]) -> Stack:
    """The stack that most tests share, up, with the sample landed, loaded, built and checked, and
    with a Postgres."""
    shared = make_stack("stack", CDP_WITH_SERVICES="postgres")
    shared.cdp("demo")
    return shared


@pytest.fixture(scope="session")
def small_stack(make_stack: Callable[..., Stack]) -> Stack:
    """A stack of the object store, its catalog and Postgres, up and empty: no JVM."""
    small = make_stack("small", SmallStack)
    small.up()
    return small


@pytest.fixture
def session(stack: Stack) -> Iterator[connection]:
    """A session with the Postgres of the stack."""
    with postgres.connect(stack.settings()) as opened:
        yield opened


@pytest.fixture
def slot(session: connection) -> Iterator[str]:
    """A replication slot that nothing reads."""
    with unread(session) as name:
        yield name


@pytest.fixture
def checkout(stack: Stack, tmp_path: Path) -> Iterator[Checkout]:
    """A copy of the project that the test may change; what it publishes is rolled back."""
    with taken_back(stack, tmp_path / "checkout") as made:
        yield made


@pytest.fixture(autouse=True)
def _up(request: pytest.FixtureRequest) -> None:
    """Tests of a shared stack start with every part of it up, whatever the last one did."""
    if "stack" in request.fixturenames:
        stack: Stack = request.getfixturevalue("stack")
        if stack.has_other_services and request.path.name not in LAST:
            stack.up()
        processes = Supervisor(stack.state_dir).processes().values()
        if not processes or any(p["statename"] != "RUNNING" for p in processes):
            stack.up()
