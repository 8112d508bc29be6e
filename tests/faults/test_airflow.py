"""Every DAG for real: on its own, by the scheduler, with a failing audit, and killed."""

import json
import re
import shlex
import shutil
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psutil
import pytest

from cdp import objects
from cdp.lineage import names, transport
from cdp.plan.state import KEY as STATE
from cdp.settings import ROOT
from cdp.stack import airflow
from tests.support.airflow import Airflow
from tests.support.lineage import assert_linked, made_by, read
from tests.support.reading import heads, last_run
from tests.support.stack import CDP, Stack, free_offset
from tests.support.waiting import wait_for

DAGS = {"hourly", "daily", "backfill", "ci"}
STEPS = ["land", "load", "write", "audit", "publish"]
# It is verified in each run, of whatever came.
CONTRACT = "raw/crm_customers.yml"
# What it runs on: without the Postgres of the shared stack, there is nothing to capture.
SERVICES = "airflow"
CDP_AIRFLOW = (CDP, "airflow")


@pytest.fixture(scope="module")
def driver(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    folder = tmp_path_factory.mktemp("airflow")
    contracts, lineage = folder / "contracts", folder / "lineage"
    shutil.copytree(ROOT / "contracts", contracts)
    stack.cdp("build")
    stack.up(
        CDP_WITH_SERVICES=SERVICES,
        CDP_CONTRACTS_DIR=str(contracts),
        CDP_LINEAGE=str(lineage),
        CDP_TASK_RETRIES="1",
        CDP_TASK_RETRY_SECONDS="1",
        # No run is as fast.
        CDP_HOURLY_DEADLINE_SECONDS="10",
    )
    return Airflow(stack, contracts, lineage)


def test_each_dag_is_read_from_the_manifest_within_four_seconds(driver: Airflow) -> None:
    shown = driver.stack.run(
        *CDP_AIRFLOW, "dags", "report", "--output", "json", CDP_WITH_SERVICES=SERVICES
    ).stdout
    files = json.loads(shown[shown.index("[{") :])
    assert {dag for file in files for dag in file["dags"]} == DAGS
    for file in files:
        hours, minutes, seconds = file["duration"].split(":")
        assert (hours, minutes) == ("0", "00")
        assert float(seconds) < 4, file


def writing(stack: Stack) -> list[psutil.Process]:
    """The processes that write a run; others may end while they are looked at."""
    found = []
    for process in stack.processes():
        with suppress(psutil.Error):
            if "--unaudited" in process.cmdline():
                found.append(process)
    return found


def test_a_run_by_the_scheduler_publishes_and_is_told_when_it_is_late(
    driver: Airflow,
) -> None:
    stack = driver.stack
    before = heads(stack)
    # What is not known is built: a run with something to do.
    settings = stack.settings()
    objects.client(settings).delete_object(Bucket=settings.bucket, Key=STATE)
    # Its schedule makes a run of the hour that has passed.
    driver.ask("dags/hourly", "PATCH", is_paused=False)
    wait_for(lambda: bool(driver.runs("hourly")), 120, 1)
    (run,) = driver.runs("hourly")
    assert run["run_type"] == "scheduled"
    # It is late, and people are told while it goes on.
    wait_for(lambda: ("hourly.deadline", "failed") in alerts(stack), 120, 1)
    states = driver.ended("hourly", run["dag_run_id"])
    driver.ask("dags/hourly", "PATCH", is_paused=True)
    assert {states[step] for step in STEPS} == {"success"}
    # A task for each table, told by one process of dbt's; what is of a whole day waits.
    tables = {name.partition(".")[2]: s for name, s in states.items() if "." in name}
    assert "stg_crm_customers" not in tables
    assert tables.pop("ftr_customer_churn") == "skipped"
    done = {name for name, state in tables.items() if state == "success"}
    assert {"dim_customers", "customers_history", "winsor_thresholds"} <= done
    assert set(tables.values()) == {"success", "skipped"}
    assert last_run(stack)["state"] in {"published", "discarded"}
    assert set(heads(stack)) >= set(before)
    wait_for(lambda: ("hourly.deadline", "resolved") in alerts(stack), 60, 1)
    # One chain of lineage, told by Airflow, the commands, dbt and Spark.
    assert_linked(read(driver.lineage), "hourly", last_run(stack)["run_id"])


def test_tables_are_called_alike_in_the_lineage_of_dbt_and_spark(driver: Airflow) -> None:
    tables = ["dim_customers", "fct_payments"]
    rebuild = ["build", "--full-refresh", "--select", *tables]
    driver.stack.cdp(*rebuild, CDP_LINEAGE=str(driver.lineage))
    # dbt says that it has made tables that it has found to be up to date, too.
    rebuilt = {("s3://warehouse", f"marts/{name}") for name in tables}
    assert rebuilt <= made_by(read(driver.lineage), "dbt")
    wait_for(lambda: rebuilt <= made_by(read(driver.lineage), "spark"))


def alerts(stack: Stack) -> list[tuple[str, str]]:
    """The causes that people were told of, with what was told."""
    path = stack.state_dir / "logs" / "alerts.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    causes = [json.loads(line)["cause"] for line in lines]
    return [(each["name"], each["severity"]) for each in causes]


@pytest.mark.full
def test_a_killed_task_is_tried_again_and_a_failing_contract_ends_red_with_main_untouched(
    driver: Airflow,
) -> None:
    stack = driver.stack
    contract = driver.contracts / CONTRACT
    text = contract.read_text()
    impossible = "checks:\n  - row_count:\n      threshold: {must_be_less_than: 1}\n"
    contract.write_text(text.replace("checks:\n", impossible, 1))
    before, known = heads(stack), {r["run_id"] for r in all_runs(stack)}
    try:
        run = driver.trigger("backfill")
        wait_for(lambda: bool(writing(stack)) and last_run(stack)["run_id"] not in known, 180)
        for process in writing(stack):
            process.kill()
        states = driver.ended("backfill", run)
    finally:
        contract.write_text(text)
    # The killed task is tried again, and the run goes on.
    assert states["write"] == "success"
    assert driver.ask(f"dags/backfill/dagRuns/{run}/taskInstances/write")["try_number"] == 2
    # What another try cannot mend is not tried again.
    assert states["audit"] == "failed"
    audit = driver.ask(f"dags/backfill/dagRuns/{run}/taskInstances/audit")
    assert audit["try_number"] == 1
    assert states["publish"] == "upstream_failed"
    assert heads(stack) == before
    assert last_run(stack)["state"] == "failed"
    # What its log says to look at can be looked at.
    log = driver.ask(f"dags/backfill/dagRuns/{run}/taskInstances/audit/logs/1")
    lines = [str(line["event"]) for line in log["content"]]
    (query,) = (line.split("cdp query ")[1] for line in lines if "cdp query " in line)
    assert stack.query(shlex.split(query)[0])


def all_runs(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stack.run(CDP, "runs", "--json").stdout)
    return found


def run_alone(stack: Stack, dag: str) -> str:
    """Run a DAG without a scheduler, to success; what it said."""
    moment = "2024-12-31T06:05:00"
    done = stack.run(*CDP_AIRFLOW, "dags", "test", dag, moment, CDP_WITH_SERVICES=SERVICES)
    said = done.stdout + done.stderr
    assert re.search(r"Marking run .* successful", said)
    return said


# The others run so on clusters: test_portability.
@pytest.mark.full
def test_the_backfill_runs_without_a_scheduler(driver: Airflow) -> None:
    run_alone(driver.stack, "backfill")


@pytest.mark.full
def test_what_a_pull_request_builds_is_dropped_and_nobody_need_listen_to_its_lineage(
    driver: Airflow,
) -> None:
    stack = driver.stack
    nobody = f"http://127.0.0.1:{9464 + free_offset(3000)}"
    settings = stack.settings().model_copy(update={"lineage": nobody})
    told = json.dumps(transport.of_python(names.AIRFLOW, settings))
    (airflow.folder(settings) / airflow.LINEAGE).write_text(told)
    said = run_alone(replace(stack, extra=stack.extra | {"CDP_LINEAGE": nobody}), "ci")
    assert "Failed to emit OpenLineage" in said
    schemas = stack.query("select schema_name from lake.information_schema.schemata")
    assert not [s for s in schemas if s["schema_name"].startswith("ci_airflow")]
