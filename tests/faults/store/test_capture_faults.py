"""Captures that are killed, and parts that are away: nothing is lost, nothing lands twice."""

import random
import signal
import subprocess
import sys

import psutil
import pytest

from cdp.stack.supervisor import Supervisor
from tests.support.captured import Table, fill, writing
from tests.support.waiting import wait_for


def test_kills_lose_and_double_nothing(table: Table) -> None:
    table.sql(fill(1, 20_000))
    moments = random.Random(7)  # noqa: S311
    ledger = table.ledger
    with writing(table):
        for kill in range(4):
            length = ledger.length()
            with table.running() as process:
                if kill:  # the first kill may come in the snapshot; the others after a batch
                    wait_for(lambda: ledger.length() > length)  # noqa: B023
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(timeout=moments.uniform(0, 0.6) + (0 if kill else 1))
    assert ledger.length() >= 3
    table.capture()
    table.assert_whole()


def test_large_transaction_is_landed_in_parts(table: Table) -> None:
    """Killed between the parts, the rest lands, and the transaction is not confirmed before."""
    table.capture()
    before = table.confirmed()
    table.sql(fill(1, 60_000))
    code = (
        "import sys; from cdp.settings import settings; from cdp.landing.source import select;"
        "from cdp.capture.runner import capture; from cdp.capture.gather import Options;"
        "chosen = select(sys.argv[1], settings().sources_dir);"
        "capture(chosen, settings(), Options(once=True, rows=4000), print)"
    )
    command = [sys.executable, "-c", code, f"cap.{table.name}"]
    process = subprocess.Popen(command, env=table.environment, stdout=subprocess.DEVNULL)
    ledger = table.ledger
    wait_for(lambda: ledger.length() >= 3)
    process.kill()
    process.wait()
    parts = ledger.length()
    assert parts < 16
    last = ledger.last()
    assert last
    assert last.position
    assert not last.position.complete
    assert before <= table.confirmed() < last.position.lsn
    table.capture()
    assert ledger.length() == parts + 1
    table.assert_whole()
    assert len(table.landed()) == 60_000


def test_postgres_is_killed_and_comes_back(table: Table) -> None:
    table.sql(fill(1, 1000))
    with table.running() as process, writing(table, seed=2) as writer:
        ledger = table.ledger
        wait_for(lambda: ledger.length() >= 2)
        psutil.Process(table.stack.pid("postgres")).kill()
        done = writer.done
        wait_for(lambda: writer.done > done + 20)
        length = ledger.length()
        wait_for(lambda: ledger.length() > length)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert "Postgres went away, trying again" in said
    table.capture()
    table.assert_whole()


def test_store_is_away_and_comes_back(table: Table) -> None:
    table.sql(fill(1, 10))
    table.capture()
    supervisor = Supervisor(table.stack.state_dir)
    ledger = table.ledger
    with table.running() as process:
        table.sql(fill(11, 20))
        wait_for(lambda: ledger.length() == 2)
        last = ledger.last()
        try:
            supervisor.call("stopProcess", "store")
            table.sql(fill(21, 30))
            end = table.wait_until_sent()
            table.sql(fill(31, 40))
            assert last
            assert last.position
            assert table.confirmed() < end
            assert process.poll() is None
        finally:
            table.stack.up()
        wait_for(lambda: ledger.length() > 2)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
    table.capture()
    table.assert_whole()


def test_store_that_stays_away_is_told(table: Table) -> None:
    table.capture()
    table.sql(fill(1, 10))
    supervisor = Supervisor(table.stack.state_dir)
    with table.running("--patience", "1s") as process:
        try:
            table.wait_until_read()
            supervisor.call("stopProcess", "store")
            table.sql(fill(11, 20))
            said, _ = process.communicate(timeout=60)
        finally:
            table.stack.up()
        assert process.returncode == 1
        assert "error: the object store does not" in said
        assert "Traceback" not in said
    table.capture()
    table.assert_whole()


def test_postgres_that_is_away_is_told(table: Table) -> None:
    supervisor = Supervisor(table.stack.state_dir)
    supervisor.call("stopProcess", "postgres")
    try:
        assert "Postgres does not answer" in table.refused()
    finally:
        table.stack.up()
