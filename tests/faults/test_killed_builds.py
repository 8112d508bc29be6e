"""Builds that are killed, and builds whose Spark is."""

import signal
import subprocess

import psutil
import pytest

from tests.support.checkout import Checkout
from tests.support.reading import heads, last_run
from tests.support.stack import CDP, Stack
from tests.support.waiting import wait_for

# Every row of the table again.
REBUILD = ["build", "--full-refresh", "--select", "dim_customers"]


@pytest.fixture(scope="module", autouse=True)
def published(stack: Stack) -> None:
    stack.cdp("build")


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


@pytest.mark.full
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
    assert "Traceback" not in told
    assert last_run(stack)["state"] == "failed"
    assert heads(stack) == before
    stack.cdp("discard", run_id)
