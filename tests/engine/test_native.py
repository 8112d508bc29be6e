"""What Comet runs natively gives what Spark gives, model by model."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.lived import BUILT, EVERY, FEW, TABLES, live
from tests.support.reading import content, read
from tests.support.stack import Stack

# The population is built natively, and again by Spark alone.
pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]


@dataclass
class Built:
    """The plan of a query on the native stack, and the tables as each way has built them."""

    plan: str
    natively: dict[str, Counter[str]]
    by_spark: dict[str, Counter[str]]


@pytest.fixture(scope="module")
def built(make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Built:
    log = tmp_path_factory.mktemp("log")
    own = {"CDP_FEATURE_EVERY_DAYS": str(EVERY), "DBT_LOG_PATH": str(log)}
    # Nothing is interpreted: Comet runs no query that is.
    own |= {"CDP_SPARK_NATIVE": "true", "CDP_SPARK_COMPILE_ROWS": "0"}
    # Plans of Comet are large, and the profile's has a column for each column.
    own |= {"CDP_SPARK_DRIVER_MEMORY": "2g"}
    stack = make_stack("native", **own)
    stack.cdp("up")
    natively = live(stack, log, tmp_path_factory.mktemp("changes"), FEW).rebuilt
    counted = "select customer_id, count(*) from lake.marts.fct_usage_daily group by customer_id"
    plan = str(stack.ask_spark(f"explain {counted}"))
    stack.cdp("down")
    stack.extra["CDP_SPARK_NATIVE"] = "false"
    stack.cdp("up")
    stack.cdp("build", "--full-refresh", "--exclude-resource-type", "test")
    by_spark = {table: content(read(stack, table, BUILT)) for table in TABLES}
    return Built(plan, natively, by_spark)


def test_queries_run_natively(built: Built) -> None:
    assert "CometHashAggregate" in built.plan
    assert "CometExchange" in built.plan


@pytest.mark.parametrize("table", TABLES)
def test_a_model_has_the_rows_that_spark_gives_it(built: Built, table: str) -> None:
    assert built.by_spark[table]
    assert built.natively[table] == built.by_spark[table]
