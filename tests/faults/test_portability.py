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
from tests.support.lineage import Event, assert_linked, read
from tests.support.lost_catalog import assert_a_lost_catalog_comes_back
from tests.support.project import Project, environment, install
from tests.support.reading import last_run
from tests.support.stack import CDP, Stack

TYPES = {"string": "text", "decimal": "numeric", "timestamp": "timestamptz"}
CUSTOMERS = "create table public.customers ({}, primary key (customer_id))".format(
    ", ".join(
        f"{column.name} {TYPES.get(column.type, column.type)}"
        for column in find("crm.customers", ROOT / "sources").columns
    )
)


# Parts that a setting replaces; the night adds those that run DAGs.
PARTS = "rest-catalog,spark-cluster,trino-worker"
MORE = "airflow,postgres,metrics"


@dataclass
class Other:
    """A stack on other parts, with the sample brought to answers; where its lineage is written."""

    stack: Stack
    lineage: Path


@pytest.fixture(scope="module")
def other(
    make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory, full: bool
) -> Iterator[Other]:
    lineage = tmp_path_factory.mktemp("lineage")
    parts = f"{PARTS},{MORE}" if full else PARTS
    stack = make_stack("other", CDP_WITH_SERVICES=parts, CDP_LINEAGE=str(lineage))
    stack.cdp("demo")
    yield Other(stack, lineage)
    stack.cdp("down")
    assert stack.processes() == []


@pytest.mark.timeout(1200)
def test_the_main_job_gives_the_same_answers_on_another_catalog_and_clusters(
    other: Other, full: bool
) -> None:
    stack = other.stack
    names = {s["name"] for s in stack.status()["services"]}
    assert {"rest-catalog", "spark-master", "spark-worker-1", "spark-worker-2"} <= names
    assert "trino-worker" in names
    assert ({"airflow-scheduler", "metrics"} <= names) is full
    assert stack.settings().catalog_url.endswith(str(8182 + stack.offset))
    assert stack.settings().master == f"spark://127.0.0.1:{7077 + stack.offset}"
    assert_answers(stack)
    assert "0 rows loaded, 7043 in all" in stack.cdp("load")
    # Both nodes of Trino take a share of a query.
    nodes = "select count(distinct node_id) as n from system.runtime.tasks"
    assert stack.query(nodes) == [{"n": 2}]


def test_tables_are_called_alike_in_the_lineage_of_dbt_and_spark(other: Other) -> None:
    assert_named_alike(read(other.lineage))


@pytest.mark.full
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


def test_views_are_views_where_the_catalog_has_them(other: Other, tmp_path: Path) -> None:
    assert_views_are_views(other.stack, tmp_path / "project")


def test_a_lost_catalog_comes_back(other: Other, tmp_path: Path) -> None:
    assert_a_lost_catalog_comes_back(other.stack, tmp_path / "backup")


def assert_named_alike(events: list[Event]) -> None:
    """Each table that dbt says it has made is one that Spark says it has written to."""
    made = {
        name: set().union(*(e.tables("outputs") for e in events if e.job[0] == name))
        for name in ("dbt", "spark")
    }
    assert len(made["dbt"]) > 25
    assert made["dbt"] <= made["spark"]


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


def assert_views_are_views(stack: Stack, folder: Path) -> None:
    """This catalog has views: a model of one is that or a table, as the variable says."""
    with environment(stack), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOMEBODY_SCHEMA", "somebody")
        project = Project(stack, install(folder), "somebody")
        build = ["build", "--select", "a_table", "a_view"]
        # A view at first, and at a second run; a table in its place, at a second run too; and a
        # view in the table's.
        for batches, has_views in enumerate([True, True, False, False, True], 2):
            project.dbt(*build, batches=batches, iceberg_catalog_has_views=has_views)
            (row,) = project.sql("select row_count from lake.somebody.a_view")
            assert row[0] == batches
            views = [row[1] for row in project.sql("show views in lake.somebody")]
            tables = [row[1] for row in project.sql("show tables in lake.somebody")]
            assert views == (["a_view"] if has_views else [])
            assert sorted(tables) == (["a_table"] if has_views else ["a_table", "a_view"])
        # A view has no rows of its own.
        project.dbt("build", "--select", "a_table", batches=9, iceberg_catalog_has_views=True)
        (row,) = project.sql("select row_count from lake.somebody.a_view")
        assert row[0] == 9
        project.dbt("run-operation", "forget_schema", iceberg_catalog_has_views=True)
        assert not [r for r in project.sql("show schemas in lake") if r[0] == "somebody"]
