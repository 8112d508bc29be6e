"""The local Postgres: who may enter, what of it is told, what is left of it, and its slots."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg2
import pytest
from psycopg2.extensions import connection
from pydantic import SecretStr

from cdp import postgres
from cdp.capture import slots
from cdp.stack import lifecycle, probes
from cdp.stack import postgres as local
from cdp.stack.supervisor import Supervisor
from tests.support.postgres import ask, write
from tests.support.stack import CDP, Stack
from tests.support.waiting import wait_for

PSQL = local.package() / f"pginstall{local.MAJOR}" / "bin" / "psql"


def test_log_is_logical_and_changes_of_settings_are_possible(session: connection) -> None:
    assert ask(session, "show wal_level") == [("logical",)]
    assert ask(session, "show max_slot_wal_keep_size") == [("4GB",)]
    ask(session, "alter system set max_slot_wal_keep_size = '64MB'")
    try:
        ask(session, "select pg_reload_conf()")
        wait_for(lambda: ask(session, "show max_slot_wal_keep_size") == [("64MB",)])
    finally:
        ask(session, "alter system reset max_slot_wal_keep_size")
        ask(session, "select pg_reload_conf()")


@pytest.mark.parametrize("password", ["wrong", ""], ids=["a wrong one", "none"])
def test_password_is_asked_for(stack: Stack, password: str) -> None:
    found = stack.settings().model_copy(update={"postgres_password": SecretStr(password)})
    with pytest.raises(psycopg2.OperationalError, match="password"), postgres.connect(found):
        pass


def test_password_is_asked_for_by_replication_too(stack: Stack) -> None:
    dsn = stack.settings().postgres_dsn.replace(":" + _password(stack) + "@", ":wrong@")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(dsn, replication="database")


def test_nobody_enters_without_scram(session: connection) -> None:
    sql = "select address, netmask, auth_method from pg_hba_file_rules"
    assert set(ask(session, sql)) == {("127.0.0.1", "255.255.255.255", "scram-sha-256")}
    sql = "select bool_and(rolpassword like 'SCRAM-SHA-256$%') from pg_authid where rolcanlogin"
    assert ask(session, sql) == [(True,)]


def _password(stack: Stack) -> str:
    return stack.settings().postgres_password.get_secret_value()


def test_psql_works_with_the_environment_that_is_printed(stack: Stack) -> None:
    script = f'. "{stack.state_dir}/env" && exec "$@"'
    sql = "select current_user, current_database()"
    done = stack.run("sh", "-c", script, "sh", str(PSQL), "--no-psqlrc", "-At", "-c", sql)
    assert done.stdout == "cdp|crm\n"


def test_its_data_is_closed_to_others_and_it_does_not_run_as_root(stack: Stack) -> None:
    data = local.home(stack.settings()) / "data"
    assert data.stat().st_mode & 0o077 == 0
    assert psutil.Process(stack.pid("postgres")).uids().effective != 0
    assert not (data.parent / "password").exists()


def test_a_slot_that_was_read_is_not_behind(stack: Stack, session: connection, slot: str) -> None:
    write(session)
    ask(session, "select pg_replication_slot_advance(%s, pg_current_wal_lsn())", slot)
    # Postgres itself writes a little log now and then.
    (found,) = (s for s in slots.slots(stack.settings()) if s.name == slot)
    assert found.lag_bytes is not None
    assert found.lag_bytes < 10_000


def test_slots_of_others_are_left_out(stack: Stack, session: connection) -> None:
    ask(session, "select pg_create_logical_replication_slot('cdpxother', 'pgoutput')")
    try:
        assert [s.name for s in slots.slots(stack.settings()) if s.name == "cdpxother"] == []
    finally:
        ask(session, "select pg_drop_replication_slot('cdpxother')")


def test_an_interrupted_initdb_is_begun_anew_and_data_goes_when_told(
    make_stack: Callable[..., Stack],
) -> None:
    other = make_stack("half", CDP_WITH_SERVICES="postgres")
    other.cdp("env")  # makes the credentials
    found = other.settings()
    home = local.home(found)
    home.mkdir(mode=0o711)
    (home / "data.partial").mkdir()
    (home / "data.partial" / "PG_VERSION").write_text("half")
    (home / "password").touch()
    assert local.prepare(found)
    assert not local.prepare(found)
    assert (home / "data" / "PG_VERSION").read_text() == f"{local.MAJOR}\n"
    assert not [p for p in ("data.partial", "password") if (home / p).exists()]
    lifecycle.down(found)
    assert home.exists()
    other.cdp("down", "--data")
    assert not home.exists()
    assert (found.state_dir / "credentials.env").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root's home is where others could make it")
def test_a_home_that_somebody_else_made_is_not_used(
    make_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    other = make_stack("squatted", CDP_WITH_SERVICES="postgres")
    other.cdp("env")
    home = local.home(other.settings())
    home.symlink_to(tmp_path)
    try:
        assert str(home) in other.refused("up")
        assert list(tmp_path.iterdir()) == []
    finally:
        home.unlink()


def test_a_postgres_of_somebody_else_is_used_and_not_started(
    stack: Stack, make_stack: Callable[..., Stack]
) -> None:
    url = stack.settings().postgres_dsn
    other = make_stack("theirs", CDP_WITH_SERVICES="postgres", CDP_POSTGRES_URL=url)
    done = subprocess.run(
        ["sh", "-c", 'eval "$(cdp env)" && exec "$0" -At -c "select 1"', str(PSQL)],
        env=other.environment(PATH=f"{Path(CDP).parent}:/usr/bin:/bin"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"
    found = other.settings()
    assert not found.local_postgres
    assert "postgres" in lifecycle.expected(found)
    assert probes.postgres(found).startswith("Postgres 18")
    assert not Supervisor(other.state_dir).running()
