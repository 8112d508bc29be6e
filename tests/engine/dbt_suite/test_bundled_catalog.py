"""dbt's own tests of an adapter on the bundled catalog, which has no views."""

from collections.abc import Iterator

import pytest

from tests.engine.dbt_suite.conftest import UNCHANGED
from tests.engine.dbt_suite.suite import classes
from tests.support import project as support
from tests.support.stack import Stack

pytestmark = pytest.mark.full
globals().update({cls.__name__: cls for cls in classes(__name__, has_views=False)})


@pytest.fixture(scope="module", autouse=True)
def in_stack(bare_stack: Stack) -> Iterator[None]:
    with support.environment(bare_stack):
        yield


def test_most_of_the_suite_passes_and_half_of_it_unchanged(request: pytest.FixtureRequest) -> None:
    """Count what has passed before: the classes above, and their tests that FAILS does not name."""
    items = [item for item in request.session.items if item.path == request.path]
    expected = [item for item in items[:-1] if not item.get_closest_marker("xfail")]
    if len(items) < 127:
        pytest.skip("only a part of the suite was asked for")
    assert len(expected) >= 110
    unchanged = request.config.stash[UNCHANGED][request.path]
    print(f"{len(expected)} of {len(items) - 1} pass, {len(unchanged)} with nothing changed")
    assert len(unchanged) >= 50
