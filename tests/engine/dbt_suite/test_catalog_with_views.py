"""dbt's own tests of an adapter on a catalog that has views."""

from collections.abc import Callable, Iterator

import pytest

from tests.engine.dbt_suite.suite import classes
from tests.support import project as support
from tests.support.stack import SparkStack, Stack

pytestmark = pytest.mark.full
globals().update({cls.__name__: cls for cls in classes(__name__, has_views=True)})


@pytest.fixture(scope="module", autouse=True)
def in_stack(make_stack: Callable[..., Stack]) -> Iterator[None]:
    stack = make_stack("views", SparkStack, CDP_WITH_SERVICES="rest-catalog")
    stack.up()
    with support.environment(stack):
        yield


@pytest.fixture(scope="class")
def has_views() -> bool:
    return True
