"""What the benchmarks read from Spark's event log."""

import json
from pathlib import Path
from typing import Any

from bench.spark_events import Cost, costs
from bench.transform_page import by_layer

SQL = "org.apache.spark.sql.execution.ui."


def scan(table: str, *children: dict[str, Any]) -> dict[str, Any]:
    return {"nodeName": f"BatchScan lake.{table} ", "children": list(children)}


def statement(
    number: int, node: str, plan: dict[str, Any], kind: str = "ExecutionStart"
) -> dict[str, Any]:
    comment = json.dumps({"app": "dbt", "run_id": "run_1", "node_id": node})
    return {
        "Event": f"{SQL}SparkListenerSQL{kind}",
        "executionId": number,
        # Spark Connect prints the plan that holds the statement, with its quotes escaped.
        "details": 'sql {\n query: "' + f"/* {comment} */ select 1".replace('"', '\\"') + '"\n}',
        "sparkPlanInfo": {"nodeName": "Project", "children": [plan]},
    }


def job(number: int, *stages: int) -> dict[str, Any]:
    properties = {"spark.sql.execution.id": str(number)}
    return {"Event": "SparkListenerJobStart", "Stage IDs": stages, "Properties": properties}


def task(stage: int) -> dict[str, Any]:
    return {
        "Event": "SparkListenerTaskEnd",
        "Stage ID": stage,
        "Task Metrics": {
            "Executor CPU Time": 1_500_000_000,
            "Input Metrics": {"Records Read": 10, "Bytes Read": 100},
            "Shuffle Write Metrics": {"Shuffle Records Written": 5, "Shuffle Bytes Written": 50},
            "Output Metrics": {"Records Written": 2},
        },
    }


def test_tasks_and_scans_belong_to_the_node_of_their_statement(tmp_path: Path) -> None:
    name = "model.cdp_lakehouse.dim_customers"
    log = [
        statement(1, name, scan("raw.a", scan("raw.a"))),
        job(1, 7, 8),
        task(7),
        task(8),
        # Found while it ran: both scans are one.
        statement(1, name, scan("raw.a"), "AdaptiveExecutionUpdate"),
        statement(2, "test.cdp_lakehouse.dim_customers__holds.1a2b", scan("marts.b")),
        job(2, 9),
        task(9),
        # A stage that another job has run, and a task that has failed without metrics.
        job(2, 7),
        {"Event": "SparkListenerTaskEnd", "Stage ID": 9, "Task Metrics": None},
    ]
    folder = tmp_path / "eventlog_v2_local-1"
    folder.mkdir()
    (folder / "events_1_local-1").write_text("".join(json.dumps(e) + "\n" for e in log))

    (run, nodes), *others = costs(tmp_path).items()

    assert run == "run_1"
    assert not others
    dim, holds = nodes["dim_customers"], nodes["dim_customers__holds.1a2b"]
    assert (dim.cpu_seconds, dim.rows_read, dim.bytes_read) == (3.0, 20, 200)
    assert (dim.rows_shuffled, dim.bytes_shuffled, dim.rows_written) == (10, 100, 4)
    assert dict(dim.scans) == {"raw.a": 1}
    assert (holds.rows_read, dict(holds.scans)) == (10, {"marts.b": 1})


def test_statements_without_a_comment_have_no_name(tmp_path: Path) -> None:
    folder = tmp_path / "eventlog_v2_local-1"
    folder.mkdir()
    plain = statement(1, "", scan("raw.a")) | {"details": "sql { query: 'select 1' }"}
    log = [plain, job(1, 1), task(1), job(3, 2), task(2)]
    (folder / "events_1_local-1").write_text("".join(json.dumps(e) + "\n" for e in log))
    cost = costs(tmp_path)[""][""]
    assert (cost.rows_read, dict(cost.scans)) == (20, {"raw.a": 1})


def test_costs_are_summed_by_layer() -> None:
    nodes = ("base_a", "int_b__moved", "fct_c", "fct_c__holds.1a2b", "segments_add_up", "mon_d", "")
    cost = Cost(cpu_seconds=1.5, rows_read=10**6, bytes_shuffled=2 * 10**6)
    found = {row[0]: row[1:] for row in by_layer(dict.fromkeys(nodes, cost))}
    one = ["0", "1.0", "0.0", "2.0", "0.0", "2"]
    names = {"staging", "intermediate", "marts", "monitoring", "contracts"}
    assert {name for name, figures in found.items() if figures == one} == names
    assert found["data tests"] == ["0", "2.0", "0.0", "4.0", "0.0", "3"]
    assert found["all"][1] == "7.0"
