"""The same main job, with the same code, on other parts: only settings differ."""

import re
from collections.abc import Callable
from contextlib import closing
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


@pytest.mark.timeout(1200)
def test_the_main_job_gives_the_same_answers_on_another_catalog_and_clusters(
    make_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    parts = "rest-catalog,spark-cluster,trino-worker,airflow,postgres,metrics"
    lineage = tmp_path / "lineage"
    other = make_stack("other", CDP_WITH_SERVICES=parts, CDP_LINEAGE=str(lineage))
    other.cdp("demo")
    names = {s["name"] for s in other.status()["services"]}
    assert {"rest-catalog", "spark-master", "spark-worker-1", "spark-worker-2"} <= names
    assert {"trino-worker", "airflow-scheduler", "metrics"} <= names
    assert other.settings().catalog_url.endswith(str(8182 + other.offset))
    assert other.settings().master == f"spark://127.0.0.1:{7077 + other.offset}"
    assert_answers(other)
    assert "0 rows loaded, 7043 in all" in other.cdp("load")
    # Both nodes of Trino take a share of a query.
    nodes = "select count(distinct node_id) as n from system.runtime.tasks"
    assert other.query(nodes) == [{"n": 2}]
    assert_named_alike(read(lineage))
    deliver_an_event(other)
    run_dag(other, "hourly")
    # Whoever waits for a mart is told of those that were changed.
    changed = {c["table"] for c in last_run(other)["changed"] if c["table"].startswith("marts.")}
    told = Airflow(other, tmp_path, lineage).ask("assets/events")["asset_events"]
    assert {event["name"] for event in told} == changed == {"marts.fct_usage_daily"}
    assert_linked(read(lineage), "hourly", last_run(other)["run_id"])
    assert_answers(other)
    assert_views_are_views(other, tmp_path / "project")
    # The daily one captures the customers, of whom there is none.
    with closing(psycopg2.connect(other.settings().postgres_dsn)) as connection, connection:
        connection.cursor().execute(CUSTOMERS)
    run_dag(other, "daily")
    kept = "select count(distinct table_name) as n from monitoring.mon_table_health"
    assert other.query(kept)[0]["n"] > 30
    assert len(other.status()["slots"]) == 1
    assert_a_lost_catalog_comes_back(other, tmp_path / "backup")
    other.cdp("down")
    assert other.processes() == []


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
