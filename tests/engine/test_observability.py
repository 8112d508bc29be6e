"""What a run tells of itself: lineage, metrics, its status, and its id wherever it has been."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from cdp.lineage.names import uuid_of
from tests.support.lineage import Event, of, read, the
from tests.support.reading import last_run
from tests.support.stack import CDP, Stack, free_offset
from tests.support.webhook import Webhook

# A model with its test, that writes each row again, and a seed: each a snapshot of its own.
REBUILD = ["build", "--full-refresh", "--select", "dim_customers", "winsor_thresholds"]
# What finds nothing new.
QUICK = ["build", "--select", "winsor_thresholds"]
UNKNOWN = "run_that_is_not_there"
DIM = "model.cdp_lakehouse.dim_customers"


# The ids of a task of Airflow's and of its DAG's run.
TASK, DAG = (f"01a2172e-0000-7000-8000-00000000000{n}" for n in (1, 2))


@dataclass
class Rebuilt:
    """A rebuild: its lines as JSON, the events of its lineage, and what became of it."""

    lines: list[str]
    events: list[Event]
    run: dict[str, Any]


@pytest.fixture(scope="module")
def rebuilt(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Rebuilt:
    told = tmp_path_factory.mktemp("lineage") / "lineage"
    done = stack.run(
        CDP,
        *REBUILD,
        CDP_LINEAGE=str(told),
        CDP_LOG_FORMAT="json",
        OPENLINEAGE_PARENT_ID=f"airflow/hourly.write/{TASK}",
        OPENLINEAGE_ROOT_PARENT_ID=f"airflow/hourly/{DAG}",
    )
    return Rebuilt(done.stdout.splitlines(), read(told), last_run(stack))


def test_a_build_tells_its_lineage_to_files_linked_and_called_as_spark_does(
    stack: Stack, rebuilt: Rebuilt
) -> None:
    run, events = rebuilt.run, rebuilt.events
    assert {e.tag for e in events} == {run["run_id"]}
    # A task of Airflow's, the command, dbt, its nodes.
    began, ended = (the(events, kind, "cdp", "build") for kind in ("START", "COMPLETE"))
    assert began.run == ended.run == uuid_of(run["run_id"], "build")
    assert began.parent == TASK
    dbt = the(events, "COMPLETE", "dbt", "dbt-run-cdp_lakehouse")
    assert dbt.parent == began.run
    nodes = [e for e in events if "." in e.job[1]]
    assert {e.parent for e in nodes} == {dbt.run}
    assert {e.root for e in events} == {DAG}
    assert {e.kind for e in nodes} == {"START", "COMPLETE"}
    # Tables, by their place, and by their name in the catalog.
    dim = the(events, "COMPLETE", "dbt", DIM)
    assert dim.tables("inputs") == {("s3://warehouse", "intermediate/int_customers__latest")}
    assert dim.tables("outputs") == {("s3://warehouse", "marts/dim_customers")}
    assert (stack.settings().catalog_url, "marts.dim_customers") in dim.symlinks()
    (table,) = dim.raw["outputs"]
    assert "churn_label" in {f["name"] for f in table["facets"]["schema"]["fields"]}
    # Its test, and what readers see from then on.
    assertions = [
        (found["assertion"], found["success"])
        for e in nodes
        for table in e.raw["inputs"]
        if table["name"] == "marts/dim_customers"
        for found in table["facets"].get("dataQualityAssertions", {}).get("assertions", [])
    ]
    assert assertions == [("holds", True)]
    published = {
        d["facets"]["symlinks"]["identifiers"][0]["name"]: d["facets"]["version"]["datasetVersion"]
        for d in ended.raw["outputs"]
    }
    assert published == {c["table"]: str(c["new_snapshot"]) for c in run["changed"]}


def test_an_endpoint_gets_the_events_and_one_that_refuses_or_is_away_changes_no_run(
    stack: Stack,
) -> None:
    endpoint = Webhook(9464 + free_offset(3000))
    address = f"http://127.0.0.1:{endpoint.port}/api/v1/lineage"
    with endpoint.up():
        stack.cdp(*QUICK, CDP_LINEAGE=address)
        events = of(endpoint.bodies)
        endpoint.status = 500
        refusing = stack.cdp("audit", UNKNOWN, ok=False, CDP_LINEAGE=address)
    away = stack.cdp(*QUICK, CDP_LINEAGE=address)
    assert the(events, "COMPLETE", "cdp", "build").tag.startswith("run_")
    assert the(events, "COMPLETE", "dbt", "seed.cdp_lakehouse.winsor_thresholds").parent
    for lines in (refusing, away):
        assert lines.count("lineage is not sent, the run goes on") == 1
    assert "there is nothing to publish" in away


def test_a_run_that_fails_says_so_in_its_lineage(stack: Stack, tmp_path: Path) -> None:
    told = tmp_path / "lineage"
    stack.refused("audit", UNKNOWN, CDP_LINEAGE=str(told))
    failed = the(read(told), "FAIL", "cdp", "audit")
    assert UNKNOWN in failed.facets["errorMessage"]["message"]


def test_the_id_of_a_run_is_in_its_lines_its_records_its_snapshots_and_its_statements(
    stack: Stack, rebuilt: Rebuilt
) -> None:
    run = rebuilt.run
    said = [json.loads(line) for line in rebuilt.lines if line.startswith("{")]
    assert {line["run_id"] for line in said} == {run["run_id"]}
    (of_dim,) = (c for c in run["changed"] if c["table"] == "marts.dim_customers")
    made = stack.query(
        "select snapshot_id, element_at(summary, 'run-id') as run_id "
        'from "dim_customers$snapshots"'
    )
    assert {"snapshot_id": of_dim["new_snapshot"], "run_id": run["run_id"]} in made
    checked = stack.query("select distinct run_id from monitoring.mon_check_results")
    assert {"run_id": run["run_id"]} in checked
    page = f"http://127.0.0.1:{stack.settings().port(4040)}/connect/"
    assert run["run_id"] in requests.get(page, timeout=30).text


def samples(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """What is told, by name and labels, as Prometheus' own client reads it."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_metrics_are_what_the_tables_say(stack: Stack) -> None:
    told = samples(stack.run(CDP, "metrics", "--once").stdout)
    assert set(told["cdp_up"].values()) == {1}
    parts = {dict(labels)["part"] for labels in told["cdp_up"]}
    assert parts == {"store", "catalog", "spark", "trino", "postgres"}

    def rows(stage: str) -> dict[str, float]:
        all_of = {k: v for k, v in told["cdp_rows_total"].items() if ("stage", stage) in k}
        return {dict(labels)["source"]: value for labels, value in all_of.items()}

    landed = stack.query(
        "select source_name, sum(landed) as n from monitoring.mon_landed_batches group by 1"
    )
    assert rows("landed") == {r["source_name"]: r["n"] for r in landed}
    accepted = stack.query(
        "select source_name, sum(accepted_rows) as n from monitoring.mon_accepted_rows group by 1"
    )
    assert rows("accepted") == {r["source_name"]: r["n"] for r in accepted}
    loaded, rejected = rows("loaded"), rows("rejected")
    assert loaded == {source: n + rejected[source] for source, n in rows("accepted").items()}
    reasons = stack.query("select sum(rejected_rows) as n from monitoring.mon_rejected_rows")
    assert sum(told.get("cdp_rejections_total", {}).values()) == (reasons[0]["n"] or 0)
    run = last_run(stack)
    labels = tuple(sorted({"run_id": run["run_id"], "state": run["state"]}.items()))
    assert told["cdp_last_run"] == {labels: 1}
    number = stack.query("select max(publish_number) as n from monitoring.mon_publishes")
    assert told["cdp_publish_number"] == {(): number[0]["n"]}
    assert 0 < told["cdp_publish_age_seconds"][()] < 24 * 3600
    assert told["cdp_checks"][(("outcome", "failed"),)] == 0
    assert told["cdp_event_age_seconds"][(("table", "marts.dim_customers"),)] > 0
    assert {dict(k)["source"] for k in told["cdp_load_age_seconds"]} == set(rows("landed"))


def test_a_part_that_is_away_is_told_as_that_and_the_others_go_on(stack: Stack) -> None:
    nobody = f"http://127.0.0.1:{9464 + free_offset(3000)}"
    done = stack.run(CDP, "metrics", "--once", CDP_CATALOG_URI=nobody, CDP_TRINO_URL=nobody)
    told = {dict(labels)["part"]: value for labels, value in samples(done.stdout)["cdp_up"].items()}
    assert told == {"store": 1, "catalog": 0, "spark": 1, "trino": 0, "postgres": 1}
    assert {name for name in samples(done.stdout) if "slot" not in name} == {
        "cdp_up",
        "cdp_scrape_seconds",
    }
    assert "catalog does not answer" in done.stderr


def test_the_status_shows_the_last_runs_under_the_services(stack: Stack) -> None:
    run = last_run(stack)
    assert stack.status()["runs"][-1] == run
    shown = stack.cdp("status", COLUMNS="200")
    assert shown.index("trino") < shown.index(run["run_id"])
    (line,) = (line for line in shown.splitlines() if line.strip().startswith(run["run_id"] + " "))
    assert run["state"] in line
