"""Upkeep whose Spark is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cdp import objects
from cdp.settings import ROOT
from tests.support.stack import Stack
from tests.support.upkeep import Keeper, keeping, table_of
from tests.support.waiting import wait_for

ROWS = 200_000


@pytest.fixture
def keeper(stack: Stack) -> Iterator[Keeper]:
    with keeping(stack) as found:
        yield found


def test_spark_killed_in_the_middle_loses_nothing_and_the_next_time_goes_on(
    keeper: Keeper,
) -> None:
    stack = keeper.stack
    with stack.session() as session:
        session.sql("create table lake.upkeep.killed (id bigint, payload string) using iceberg")
        rows = session.range(ROWS).selectExpr("id", "sha2(string(id), 256) as payload")
        rows.repartition(300).writeTo("lake.upkeep.killed").append()
    counted = "select count(*) as n, sum(length(payload)) as letters from upkeep.killed"
    before = stack.query(counted)
    s3 = objects.client(stack.settings())
    bucket, _, folder = table_of(keeper, "killed").location()[5:].partition("/")

    def written() -> int:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/data/")
        return len(listed["Contents"])

    standing = written()
    command = [sys.executable, "-m", "tests.support.upkept", "upkeep.killed"]
    upkeep = subprocess.Popen(
        command, cwd=ROOT, env=stack.environment(), stdout=-1, stderr=-1, text=True
    )
    wait_for(lambda: written() > standing)
    os.kill(stack.pid("spark"), signal.SIGKILL)
    upkeep.communicate(timeout=120)
    assert upkeep.returncode
    assert stack.query(counted) == before
    stack.cdp("up")
    # What was committed by then is not done again.
    keeper.keep("killed")
    assert keeper.files("killed") == 1
    assert stack.query(counted) == before
