"""Runs of the whole project: what fails its audit never reaches those who read main."""

import json
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import CDP, Stack
from tests.stack.checkout import Checkout
from tests.stack.test_demo import catalog
from tests.stack.test_faults import wait_for

pytestmark = pytest.mark.usefixtures("published")
DIM = "models/marts/dim_customers.sql"
# Every row of the table again.
REBUILD = ["build", "--full-refresh", "--select", "dim_customers"]
NEGATIVE = "select count(*) as n from dim_customers{} where monthly_charges < 0"


@pytest.fixture(scope="module")
def published(stack: Stack) -> None:
    stack.cdp("build")


@pytest.fixture
def checkout(stack: Stack, tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(stack, tmp_path / "checkout")
    before = heads(stack)
    yield made
    # What a test has published of its own making, it takes back.
    if heads(stack) != before:
        stack.cdp("rollback")
    assert heads(stack) == before


def heads(stack: Stack) -> dict[str, int]:
    """Main of every table that runs write to."""
    lake = catalog(stack)
    found = {}
    for schema in ("seeds", "staging", "intermediate", "marts"):
        for identifier in lake.list_tables(schema):
            snapshot = lake.load_table(identifier).current_snapshot()
            found[".".join(identifier)] = snapshot.snapshot_id if snapshot else 0
    return found


def last_run(stack: Stack) -> dict[str, Any]:
    (found,) = json.loads(stack.run(CDP, "runs", "--last", "1", "--json").stdout)
    run: dict[str, Any] = found
    return run


def begun(checkout: Checkout) -> subprocess.Popen[str]:
    """A rebuild in a checkout that has begun, and goes on."""
    building = subprocess.Popen(
        [CDP, *REBUILD],
        cwd=checkout.folder,
        env=checkout.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: last_run(checkout.stack)["state"] == "begun")
    return building


def writing(checkout: Checkout) -> subprocess.Popen[str]:
    """A rebuild in a checkout whose dbt has a session on the branch."""
    building = begun(checkout)
    log = checkout.folder / "logs" / "dbt.log"
    wait_for(lambda: log.exists() and "set spark.wap.branch" in log.read_text(encoding="utf-8"))
    return building


def with_negative_charges(checkout: Checkout) -> None:
    checkout.edit(DIM, "        monthly_charges,", "        -monthly_charges as monthly_charges,")


def test_what_breaks_a_contract_is_not_published_and_can_be_looked_at(
    stack: Stack, checkout: Checkout
) -> None:
    before = heads(stack)
    with_negative_charges(checkout)
    # Only the contract knows.
    told = checkout.run(CDP, *REBUILD, "--exclude-resource-type", "test", "unit_test", ok=False)
    assert "checks failed: marts.dim_customers.monthly_charges: No invalid values" in told
    run = last_run(stack)
    assert (run["state"], run["publish"]) == ("failed", None)
    assert run["run_id"] in told
    # The query that it gives shows the rows.
    (query,) = re.findall(r"^ +cdp query (.*)$", told, re.MULTILINE)
    assert stack.query(shlex.split(query)[0])
    assert heads(stack) == before
    assert stack.query(NEGATIVE.format(""))[0]["n"] == 0
    branch = f" for version as of '{run['run_id']}'"
    count = stack.query("select count(*) as n from dim_customers")[0]["n"]
    assert stack.query(NEGATIVE.format(branch))[0]["n"] == count
    (results,) = stack.query(
        "select count(*) as n from monitoring.mon_check_results "  # noqa: S608
        f"where run_id = '{run['run_id']}' and outcome = 'failed'"
    )
    assert results["n"] == 1
    shown = stack.cdp("diff", run["run_id"]).split()
    assert shown[-4:] == ["marts.dim_customers", "0", f"{count:,}", "0"]
    assert "is failed: only a run that is audited" in stack.refused("publish", run["run_id"])
    stack.cdp("discard", run["run_id"])
    assert last_run(stack)["state"] == "discarded"
    assert "it has no branches" in stack.refused("diff", run["run_id"])


def test_what_fails_a_test_in_the_middle_keeps_all_tables_as_they_were(
    stack: Stack, checkout: Checkout
) -> None:
    before = heads(stack)
    # Features of before the failing test are rebuilt, those after it are not begun.
    checkout.edit(
        "models/intermediate/int_winsor_bounds.yml",
        "grain: [feature, as_of_date]",
        "grain: [as_of_date]",
    )
    chosen = "int_customer_features int_winsor_bounds ftr_customer_churn agg_churn_by_segment"
    told = checkout.run(CDP, "build", "--full-refresh", "--select", *chosen.split(), ok=False)
    assert "checks failed: intermediate.int_winsor_bounds: grain_is_unique" in told
    models = checkout.results("model")
    assert models["int_customer_features"] == "success"
    assert models["agg_churn_by_segment"] == "skipped"
    assert heads(stack) == before
    stack.cdp("discard", last_run(stack)["run_id"])


def test_a_reader_in_trino_sees_rows_once_they_are_audited(
    stack: Stack, checkout: Checkout
) -> None:
    """Throughout a run that fails, and one that is published."""
    seen: list[tuple[int, int]] = []
    stop = threading.Event()

    def read() -> None:
        from cdp.trino import query

        sql = "select count(*), count_if(monthly_charges < 0) from dim_customers"
        while not stop.is_set():
            (row,) = query(sql, stack.settings()).rows
            seen.append((row[0], row[1]))

    count = stack.query("select count(*) as n from dim_customers")[0]["n"]
    reader = threading.Thread(target=read)
    reader.start()
    try:
        with_negative_charges(checkout)
        checkout.run(CDP, *REBUILD, "--exclude-resource-type", "test", "unit_test", ok=False)
        failed = len(seen)
        stack.cdp("discard", last_run(stack)["run_id"])
        stack.cdp(*REBUILD)
        wait_for(lambda: len(seen) > failed + 1)
    finally:
        stop.set()
        reader.join()
    assert failed > 3
    assert set(seen) == {(count, 0)}


def test_a_run_that_is_held_is_published_later_and_rolled_back(
    stack: Stack, checkout: Checkout
) -> None:
    assert "is audited and held" in checkout.run(CDP, *REBUILD, "--hold")
    run = last_run(stack)
    assert run["state"] == "audited"
    told = stack.cdp("publish", run["run_id"])
    assert "1 table changed" in told
    run = last_run(stack)
    assert [c["table"] for c in run["changed"]] == ["marts.dim_customers"]
    published = f" for version as of 'publish_{run['publish']:06d}'"
    assert stack.query(NEGATIVE.format(published))[0]["n"] == 0
    # The fixture rolls it back.


def test_a_run_is_written_audited_and_published_one_after_the_other(
    stack: Stack, checkout: Checkout
) -> None:
    before = heads(stack)
    said = checkout.run(CDP, *REBUILD, "--unaudited", CDP_LOG_FORMAT="json")
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    run = last_run(stack)
    assert run["state"] == "written"
    # Each line bears the run, and each node of dbt's is one.
    assert {line["run_id"] for line in lines} == {run["run_id"]}
    nodes = {line["node"]: line["status"] for line in lines if "node" in line}
    assert nodes["model.cdp_lakehouse.dim_customers"] == "success"
    assert "is written: only a run that is audited" in stack.refused("publish", run["run_id"])
    assert heads(stack) == before
    assert "is audited" in stack.cdp("audit", run["run_id"])
    assert heads(stack) == before
    said = stack.cdp("publish", run["run_id"], CDP_LOG_FORMAT="json")
    told = json.loads(said.splitlines()[-1])
    assert (told["run_id"], told["tables"]) == (run["run_id"], ["marts.dim_customers"])
    assert last_run(stack)["publish"] == told["publish"]
    assert "is published: only a run that is written" in stack.refused("audit", run["run_id"])


def test_an_audit_fails_what_was_written_against_the_contract(
    stack: Stack, checkout: Checkout
) -> None:
    with_negative_charges(checkout)
    kinds = ("--exclude-resource-type", "test", "unit_test")
    checkout.run(CDP, *REBUILD, "--unaudited", *kinds)
    run_id = last_run(stack)["run_id"]
    said = stack.run(CDP, "audit", run_id, ok=False, CDP_LOG_FORMAT="json").stderr
    told = json.loads(said.splitlines()[-1])
    assert "checks failed: marts.dim_customers.monthly_charges: No invalid values" in told["error"]
    assert run_id in told["fix"]
    assert last_run(stack)["state"] == "failed"
    stack.cdp("discard", run_id)


def test_a_build_that_is_killed_leaves_main_alone_and_the_next_one_goes_on(
    stack: Stack, checkout: Checkout
) -> None:
    before = heads(stack)
    building = begun(checkout)
    run_id = last_run(stack)["run_id"]
    moved = f"select count(*) as n from \"dim_customers$refs\" where name = '{run_id}'"  # noqa: S608
    wait_for(lambda: stack.query(moved)[0]["n"] == 1)
    building.send_signal(signal.SIGKILL)
    building.communicate(timeout=30)
    assert heads(stack) == before
    checkout.run(CDP, *REBUILD)
    assert last_run(stack)["state"] == "published"
    stack.cdp("discard", run_id)


def test_spark_killed_in_the_middle_of_a_build_fails_the_run_in_one_line(
    stack: Stack, checkout: Checkout
) -> None:
    before = heads(stack)
    building = writing(checkout)
    psutil.Process(stack.pid("spark")).kill()
    _, told = building.communicate(timeout=300)
    assert building.returncode == 1
    assert told.strip().splitlines()[-2].startswith("error: "), told
    assert "Traceback" not in told
    assert last_run(stack)["state"] == "failed"
    assert heads(stack) == before
    stack.cdp("up")
    stack.cdp("discard", last_run(stack)["run_id"])


def test_a_build_whose_spark_was_started_again_writes_nothing_to_main(
    stack: Stack, checkout: Checkout
) -> None:
    """A new session knows no branch: dbt must not be given one."""
    before = heads(stack)
    building = writing(checkout)
    building.send_signal(signal.SIGSTOP)
    spark = stack.pid("spark")
    psutil.Process(spark).kill()
    wait_for(lambda: stack.pid("spark") not in {0, spark})
    stack.cdp("up")
    building.send_signal(signal.SIGCONT)
    _, told = building.communicate(timeout=300)
    run_id = last_run(stack)["run_id"]
    assert building.returncode == 1
    assert f"error: the session with Spark was lost while {run_id} was written" in told, told
    assert last_run(stack)["state"] == "failed"
    assert heads(stack) == before
    stack.cdp("discard", run_id)
