"""Runs of the whole project: what fails its audit never reaches those who read main."""

import json
import re
import shlex
import threading

import pytest

from tests.support.checkout import Checkout
from tests.support.reading import heads, last_run
from tests.support.stack import CDP, Stack
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("published")
DIM = "models/marts/dim_customers.sql"
# Every row of the table again.
REBUILD = ["build", "--full-refresh", "--select", "dim_customers"]
NEGATIVE = "select count(*) as n from dim_customers{} where monthly_charges < 0"


@pytest.fixture(scope="module")
def published(stack: Stack) -> None:
    stack.cdp("build")


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
        "models/marts/ftr_winsor_bounds.yml",
        "grain: [feature, as_of_date]",
        "grain: [as_of_date]",
    )
    chosen = "ftr_customer_churn ftr_winsor_bounds agg_churn_by_segment"
    told = checkout.run(CDP, "build", "--full-refresh", "--select", *chosen.split(), ok=False)
    assert "checks failed: marts.ftr_winsor_bounds: grain_is_unique" in told
    models = checkout.results("model")
    assert models["ftr_customer_churn"] == "success"
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


@pytest.mark.full
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
