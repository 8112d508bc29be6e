"""The same main job, with the same code, on other parts: only settings differ."""

from collections.abc import Callable

import pytest

from tests.conftest import Stack
from tests.stack.answers import assert_answers


@pytest.mark.parametrize("service", ["rest-catalog", "spark-cluster"])
def test_the_main_job_gives_the_same_answers_on(
    service: str, make_stack: Callable[..., Stack]
) -> None:
    other = make_stack(service, CDP_WITH_SERVICES=service)
    other.cdp("demo")
    names = {s["name"] for s in other.status()["services"]}
    if service == "rest-catalog":
        assert "rest-catalog" in names
        assert other.settings().catalog_url.endswith(str(8182 + other.offset))
    else:
        assert {"spark-master", "spark-worker-1", "spark-worker-2"} <= names
        assert other.settings().master == f"spark://127.0.0.1:{7077 + other.offset}"
    assert_answers(other)
    assert "0 rows loaded, 7043 in all" in other.cdp("load")
    other.cdp("down")
    assert other.processes() == []
