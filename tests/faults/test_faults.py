"""Faults in the middle of work: nothing is lost, nothing is doubled, and the message says it."""

import subprocess
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.landing import FILES, ROWS, write_files, write_source
from tests.support.stack import CDP, SAMPLE, Stack
from tests.support.waiting import wait_for


@pytest.mark.parametrize(
    "moment",
    [pytest.param("the batch has begun", marks=pytest.mark.full), "the batch is written"],
)
def test_spark_killed_in_the_middle_of_a_load(stack: Stack, tmp_path: Path, moment: str) -> None:
    table = "begun" if "begun" in moment else "written"
    sources = str(write_source(tmp_path / "src", table))
    stack.cdp("land", f"fault.{table}", *write_files(tmp_path), CDP_SOURCES_DIR=sources)
    loading = subprocess.Popen(
        [CDP, "load", f"fault.{table}"],
        env=stack.environment(CDP_SOURCES_DIR=sources),
        stderr=subprocess.PIPE,
        text=True,
    )
    if table == "begun":
        wait_for(lambda: _is_writing(stack))
    else:
        wait_for(lambda: _has_data(stack, table))
    # The JVM, not the launcher's shell.
    psutil.Process(stack.pid("spark")).kill()
    _, told = loading.communicate(timeout=180)
    if loading.returncode:  # it may have finished just before
        assert told.strip().splitlines()[-2].startswith("error: "), told
        assert "Traceback" not in told
    stack.cdp("up")
    stack.cdp("load", f"fault.{table}", CDP_SOURCES_DIR=sources)
    counts = f"select count(*) as n, count(distinct id) as ids from raw.fault_{table}"  # noqa: S608
    assert stack.query(counts) == [{"n": FILES * ROWS, "ids": FILES * ROWS}]
    assert "0 rows loaded" in stack.cdp("load", f"fault.{table}", CDP_SOURCES_DIR=sources)


def test_spark_goes_on_with_a_load_that_was_killed_and_the_next_one_doubles_nothing(
    stack: Stack, tmp_path: Path
) -> None:
    sources = str(write_source(tmp_path / "src", "left"))
    stack.cdp("land", "fault.left", *write_files(tmp_path), CDP_SOURCES_DIR=sources)
    loading = subprocess.Popen(
        [CDP, "load", "fault.left"], env=stack.environment(CDP_SOURCES_DIR=sources)
    )
    wait_for(lambda: _is_writing(stack))
    loading.kill()
    loading.wait()
    stack.cdp("load", "fault.left", CDP_SOURCES_DIR=sources)
    counts = "select count(*) as n, count(distinct id) as ids from raw.fault_left"
    assert stack.query(counts) == [{"n": FILES * ROWS, "ids": FILES * ROWS}]


def _is_writing(stack: Stack) -> bool:
    """Whether Spark runs a job that writes to a table, as its monitoring API has it."""
    api = f"http://127.0.0.1:{stack.settings().port(4040)}/api/v1/applications"
    (application,) = requests.get(api, timeout=5).json()
    running = requests.get(f"{api}/{application['id']}/jobs?status=running", timeout=5).json()
    return any("write_operation_v2" in job["name"] for job in running)


def _has_data(stack: Stack, table: str) -> bool:
    """Whether Iceberg has committed rows, as Trino sees it."""
    try:
        rows = stack.query(f'select count(*) as n from raw."fault_{table}$snapshots"')  # noqa: S608
    except AssertionError:
        return False
    return bool(rows[0]["n"])


def test_a_store_that_is_away_is_told_and_nothing_is_lost(stack: Stack, tmp_path: Path) -> None:
    sources = str(write_source(tmp_path / "src", "away"))
    (path, *_) = write_files(tmp_path)
    stack.cdp("land", "fault.away", path, CDP_SOURCES_DIR=sources)
    store = psutil.Process(stack.pid("store"))
    store.suspend()  # it holds its port and answers nothing: the worst way to be away
    store.kill()
    from cdp.stack.supervisor import Supervisor

    Supervisor(stack.state_dir).call("stopProcess", "store")
    try:
        stack.refused("land", "fault.away", str(SAMPLE), CDP_SOURCES_DIR=sources)
        line = stack.refused("load", "fault.away", CDP_SOURCES_DIR=sources)
        assert "the object store does not do it" in line
    finally:
        stack.cdp("up")
    assert f"{ROWS} rows loaded" in stack.cdp("load", "fault.away", CDP_SOURCES_DIR=sources)
