"""The local Postgres when it is ended, killed, or started with other settings."""

import signal

import psutil
import psycopg2
import pytest
from psycopg2.extensions import connection

from cdp import postgres
from cdp.stack import postgres as local
from cdp.stack import probes
from cdp.stack.supervisor import Supervisor
from tests.support.captured import DROP, Table, fill
from tests.support.postgres import ask
from tests.support.stack import Stack
from tests.support.waiting import wait_for

TIMELINE = "select left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)"


def _password(stack: Stack) -> str:
    return stack.settings().postgres_password.get_secret_value()


def test_its_process_has_no_secret_of_others_and_others_have_not_its_password(
    stack: Stack,
) -> None:
    stack.cdp("down")
    stack.up(PGPASSWORD=_password(stack), CDP_POSTGRES_PASSWORD=_password(stack))
    server = psutil.Process(stack.pid("postgres"))
    assert set(server.environ()) == {"CDP_SUPERVISED", "LC_ALL", "PATH", "TZ"}
    for process in stack.processes():
        assert _password(stack) not in "\n".join(process.environ().values()), process


def test_down_ends_every_process_of_it_whoever_is_connected(
    stack: Stack, session: connection
) -> None:
    server = psutil.Process(stack.pid("postgres"))
    family = [server, *server.children(recursive=True)]
    assert len(family) > 4
    stack.cdp("down")
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    stack.up()


def test_what_was_committed_outlives_a_kill(stack: Stack) -> None:
    with postgres.connect(stack.settings()) as session:
        ask(session, "create table kept as select 1 as one")
    before = stack.pid("postgres")
    psutil.Process(before).kill()
    wait_for(lambda: stack.pid("postgres") not in {0, before})
    stack.up()
    with postgres.connect(stack.settings()) as session:
        assert ask(session, "select one from kept") == [(1,)]
        ask(session, "drop table kept")


def test_a_postgres_whose_log_is_not_logical_is_told_at_once(
    stack: Stack, session: connection
) -> None:
    ask(session, "alter system set wal_level = replica")
    try:
        psutil.Process(stack.pid("postgres")).send_signal(signal.SIGINT)
        wait_for(lambda: _answer(stack, "show wal_level") == "replica")
        with pytest.raises(probes.UnfitError, match="wal_level is replica"):
            probes.postgres(stack.settings())
        line = stack.refused("up")
        assert "wal_level is replica" in line
    finally:
        with postgres.connect(stack.settings()) as other:
            ask(other, "alter system reset wal_level")
        psutil.Process(stack.pid("postgres")).send_signal(signal.SIGINT)
        wait_for(lambda: _answer(stack, "show wal_level") == "logical")


@pytest.mark.parametrize("follows", [True, False], ids=["with-its-slot", "with-a-slot-made-anew"])
def test_a_promoted_standby_is_captured_only_with_the_slot_that_was_read(
    stack: Stack, table: Table, follows: bool
) -> None:
    """What a cluster manager makes anew under the slot's name has lost what was not read yet."""
    table.sql(fill(1, 5))
    table.capture()
    table.sql(fill(6, 7))
    _promote(stack)
    table.sql(fill(8, 9))
    if follows:
        table.capture()
        table.assert_whole()
        return
    table.sql(DROP, "select pg_create_logical_replication_slot('$s', 'pgoutput')", fill(10, 11))
    assert "may have been made anew there; changes since" in table.refused()
    table.capture("--resnapshot")
    table.assert_whole()


def _promote(stack: Stack) -> None:
    """Have the server go on as a standby does that is promoted: on a timeline of its own."""
    with postgres.connect(stack.settings()) as session:
        before = ask(session, TIMELINE)
    data = local.home(stack.settings()) / "data"
    (data / "standby.signal").touch()
    # One that ends as soon as it has started is not started again.
    wait_for(lambda: Supervisor(stack.state_dir).processes()["postgres"]["statename"] == "RUNNING")
    psutil.Process(stack.pid("postgres")).send_signal(signal.SIGINT)
    wait_for(lambda: _answer(stack, "select pg_is_in_recovery()") is True)
    wait_for(lambda: _is_promoted(stack, before[0][0]))


def _is_promoted(stack: Stack, before: object) -> bool:
    """Ask until it is: a server that has just come up may not hear the first time."""
    _answer(stack, "select pg_promote(false)")
    return _answer(stack, TIMELINE) not in {None, before}


def _answer(stack: Stack, query: str) -> object:
    try:
        with postgres.connect(stack.settings()) as session:
            return ask(session, query)[0][0]
    except psycopg2.OperationalError:
        return None
