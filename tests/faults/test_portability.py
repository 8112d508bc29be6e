"""The same main job, with the same code, on other parts: only settings differ."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from cdp import objects
from cdp.landing.source import find
from cdp.settings import ROOT
from tests.support.airflow import Airflow
from tests.support.answers import assert_answers
from tests.support.events import usage_event
from tests.support.lineage import assert_linked, made_by, read
from tests.support.reading import last_run
from tests.support.stack import CDP, Stack

TYPES = {"string": "text", "decimal": "numeric", "timestamp": "timestamptz"}
CUSTOMERS = "create table public.customers ({}, primary key (customer_id))".format(
    ", ".join(
        f"{column.name} {TYPES.get(column.type, column.type)}"
        for column in find("crm.customers", ROOT / "sources").columns
    )
)


pytestmark = pytest.mark.full
# Parts that a setting replaces, and those that run DAGs.
PARTS = "rest-catalog,spark-cluster,trino-worker,airflow,postgres,metrics"


@dataclass
class Other:
    """A stack on other parts, with the sample brought to answers; where its lineage is written."""

    stack: Stack
    lineage: Path


@pytest.fixture(scope="module")
def other(
    make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Other]:
    lineage = tmp_path_factory.mktemp("lineage")
    stack = make_stack("other", CDP_WITH_SERVICES=PARTS, CDP_LINEAGE=str(lineage))
    stack.cdp("demo")
    yield Other(stack, lineage)
    stack.cdp("down")
    assert stack.processes() == []


@pytest.mark.timeout(1200)
def test_the_main_job_gives_the_same_answers_on_another_catalog_and_clusters(
    other: Other,
) -> None:
    stack = other.stack
    names = {s["name"] for s in stack.status()["services"]}
    assert {"rest-catalog", "spark-master", "spark-worker-1", "spark-worker-2"} <= names
    assert "trino-worker" in names
    assert {"airflow-scheduler", "metrics"} <= names
    assert stack.settings().catalog_url.endswith(str(8182 + stack.offset))
    assert stack.settings().master == f"spark://127.0.0.1:{7077 + stack.offset}"
    assert_answers(stack)
    assert "0 rows loaded, 7043 in all" in stack.cdp("load")
    # Both nodes of Trino take a share of a query.
    nodes = "select count(distinct node_id) as n from system.runtime.tasks"
    assert stack.query(nodes) == [{"n": 2}]


def test_tables_are_called_alike_in_the_lineage_of_dbt_and_spark(other: Other) -> None:
    events = read(other.lineage)
    by_dbt = made_by(events, "dbt")
    assert len(by_dbt) > 25
    assert by_dbt <= made_by(events, "spark")


@pytest.mark.timeout(1200)
def test_every_dag_runs_on_another_catalog_and_clusters(other: Other, tmp_path: Path) -> None:
    stack = other.stack
    deliver_an_event(stack)
    run_dag(stack, "hourly")
    # Whoever waits for a mart is told of those that were changed.
    changed = {c["table"] for c in last_run(stack)["changed"] if c["table"].startswith("marts.")}
    told = Airflow(stack, tmp_path, other.lineage).ask("assets/events")["asset_events"]
    assert {event["name"] for event in told} == changed == {"marts.fct_usage_daily"}
    assert_linked(read(other.lineage), "hourly", last_run(stack)["run_id"])
    assert_answers(stack)
    # The daily one captures the customers, of whom there is none.
    with closing(psycopg2.connect(stack.settings().postgres_dsn)) as connection, connection:
        connection.cursor().execute(CUSTOMERS)
    run_dag(stack, "daily")
    kept = "select count(distinct table_name) as n from monitoring.mon_table_health"
    assert stack.query(kept)[0]["n"] > 30
    assert len(stack.status()["slots"]) == 1


def deliver_an_event(stack: Stack) -> None:
    settings = stack.settings()
    (customer,) = stack.query("select min(customer_id) as id from dim_customers")
    body = usage_event(1, customer["id"], event_type="sms")
    objects.client(settings).put_object(
        Bucket=settings.bucket, Key="inbox/usage/events/2024-12-20.jsonl", Body=body
    )


def run_dag(stack: Stack, dag: str) -> None:
    """Run every task of a DAG for real, without a scheduler."""
    done = stack.run(CDP, "airflow", "dags", "test", dag, "2024-12-31T06:05:00")
    assert re.search(r"Marking run .* successful", done.stdout + done.stderr)
