"""Branches, tags and main of several tables: published whole or not at all, whatever happens."""

import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from cdp import objects
from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.publish import lease
from cdp.publish.publisher import Publisher, new_id, tag
from cdp.settings import ROOT
from tests.support.stack import Stack
from tests.support.tables import SCHEMA, Tables


def test_readers_of_main_see_a_run_once_it_is_published(tables: Tables) -> None:
    tables.make("one", "two", "three")
    run_id = tables.run(one=2, two=2)
    assert tables.all_rows() == [[1], [1], [1]]
    assert tables.rows("one", run_id) == [1, 2]
    number = tables.publish(run_id)
    assert tables.all_rows() == [[1, 2], [1, 2], [1]]
    # The tag is on what has not changed, too: together they are what was published.
    assert [tables.rows(n, tag(number)) for n in ("one", "two", "three")] == tables.all_rows()
    assert all(run_id not in tables.refs(n) for n in ("one", "two", "three"))
    assert tables.known(run_id).state == "published"
    assert [m.table.split(".")[1] for m in tables.known(run_id).changed] == ["one", "two"]


def test_a_table_that_never_had_a_row_can_be_written_to_on_a_branch(tables: Tables) -> None:
    tables.make("one")
    tables.names.append(f"{tables.namespace}.empty")
    tables.catalog.create_table(f"{tables.namespace}.empty", schema=SCHEMA)
    run_id = tables.run(empty=2)
    assert tables.rows("empty") == []
    tables.publish(run_id)
    assert tables.rows("empty") == [2]


def test_a_run_that_changed_nothing_publishes_nothing_and_leaves_no_branch(tables: Tables) -> None:
    tables.make("one")
    run_id = tables.run()
    assert tables.publish(run_id) == 0
    assert tables.refs("one") == {"main"}
    assert tables.known(run_id).state == "discarded"


@pytest.mark.parametrize("written", ["one", "two"])
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one by one"])
def test_a_publish_is_refused_when_main_has_moved(
    tables: Tables, written: str, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a table that the run has changed, and of one that it has only read."""
    monkeypatch.setattr(Catalog, "has_transactions", at_once)
    tables.make("one", "two")
    run_id = tables.run(one=2)
    tables.write(written, 9)
    before = tables.all_rows()
    with pytest.raises(CdpError, match=f"{written} was written to since it began"):
        tables.publish(run_id)
    assert tables.all_rows() == before
    assert tables.known(run_id).state == "refused"
    assert tables.rows("one", run_id) == [1, 2]


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one by one"])
def test_who_is_faster_in_the_middle_of_a_publish_is_not_overwritten(
    tables: Tables, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Catalog, "has_transactions", at_once)
    tables.make("one", "two", "three")
    run_id = tables.run(one=2, two=2, three=2)
    advance = Publisher._advance

    def late(*arguments: object) -> None:
        tables.write("two", 9)
        advance(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Publisher, "_advance", late)
    with pytest.raises(CdpError, match="two was written to since it began"):
        tables.publish(run_id)
    assert tables.all_rows() == [[1], [1, 9], [1]]
    assert tables.known(run_id).state == "refused"
    # What was refused can still be looked at.
    assert [tables.rows(n, run_id) for n in ("one", "two", "three")] == [[1, 2]] * 3


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one by one"])
def test_a_publish_that_is_killed_at_any_step_is_completed(tables: Tables, at_once: bool) -> None:
    tables.make("one", "two", "three")
    steps, number = 0, 1
    while True:
        number += 1
        before = tables.all_rows()
        run_id = tables.run(one=number, two=number, three=number)
        if not tables.publish_and_die(run_id, steps, at_once=at_once):
            break
        tables.recover()
        if steps == 0:
            # Nothing was intended yet: it is as if it had not been asked for.
            assert tables.all_rows() == before
            assert tables.publish(run_id)
        assert tables.all_rows() == [[*rows, number] for rows in before]
        assert tables.known(run_id).state == "published"
        assert all(run_id not in tables.refs(n) for n in ("one", "two", "three"))
        steps += 1
    # The intent, each commit, and the outcome.
    assert steps == (3 if at_once else 5)


def test_a_publish_that_cannot_be_completed_is_taken_back(tables: Tables) -> None:
    tables.make("one", "two", "three")
    run_id = tables.run(one=2, two=2, three=2)
    # After the intent, and the commit of the first table.
    assert tables.publish_and_die(run_id, 2, at_once=False)
    moved = [rows for rows in tables.all_rows() if rows == [1, 2]]
    assert len(moved) == 1
    tables.write("three", 9)
    tables.recover()
    assert tables.all_rows() == [[1], [1], [1, 9]]
    assert tables.known(run_id).state == "refused"
    assert tables.known(run_id).detail.startswith("interrupted, and ")


def test_a_rollback_is_a_publish_of_what_was(tables: Tables) -> None:
    tables.make("one", "two")
    first = tables.publish(tables.run(one=2))
    tables.publish(tables.run(one=3, two=3))
    _, back_to, changed = tables.publisher.rollback(None)
    assert back_to == first
    assert len(changed) == 2
    assert tables.all_rows() == [[1, 2], [1]]
    # It can be undone as any other.
    tables.publisher.rollback(None)
    assert tables.all_rows() == [[1, 2, 3], [1, 3]]
    tables.publisher.rollback(first)
    assert tables.all_rows() == [[1, 2], [1]]
    with pytest.raises(CdpError, match=f"every table is as publish {first} left it"):
        tables.publisher.rollback(first)
    with pytest.raises(CdpError, match="there is no publish 999999"):
        tables.publisher.rollback(999_999)


def test_what_is_discarded_leaves_nothing(tables: Tables) -> None:
    tables.make("one")
    tables.names.append(f"{tables.namespace}.new")
    run_id = tables.run(one=2)
    # As Spark makes a table in a session that is on a branch.
    new = tables.catalog.create_table(f"{tables.namespace}.new", schema=SCHEMA)
    new.append(pa.table({"number": [2]}, schema=SCHEMA))
    state = Catalog(tables.settings).load(f"{tables.namespace}.new")
    assert state
    snapshot = state.head()
    with new.manage_snapshots() as manage:
        manage.create_branch(snapshot or 0, run_id)
    with pytest.raises(CdpError, match="there is no run run_of_nobody"):
        tables.known("run_of_nobody")
    tables.publisher.discard(tables.known(run_id))
    assert tables.refs("one") == {"main"}
    assert tables.rows("one") == [1]
    with pytest.raises(CdpError, match=r"no branch of .* any more"):
        tables.publish(run_id)


def test_branches_that_are_older_than_they_are_kept_go_with_the_next_run(tables: Tables) -> None:
    tables.make("one")
    old, young = "run_20200101_000000_abcdef", new_id()
    table = tables.catalog.load_table(f"{tables.namespace}.one")
    snapshot = table.current_snapshot()
    assert snapshot
    for branch in (old, young, "somebodys"):
        with table.manage_snapshots() as manage:
            manage.create_branch(snapshot.snapshot_id, branch)
    run_id = tables.run(one=2)
    assert tables.refs("one") == {"main", young, "somebodys", run_id}


def test_of_two_at_once_the_second_is_refused_or_waits(stack: Stack) -> None:
    settings = stack.settings()
    with lease.held(settings, "build run_first"):
        with pytest.raises(CdpError, match="at work: build run_first"), lease.held(settings, "b"):
            raise AssertionError("two at once")
        refused = stack.refused("rollback")
        assert "another command is at work: build run_first" in refused
        waiting = subprocess.Popen(
            [*_held(30)], cwd=ROOT, env=stack.environment(), stdout=subprocess.PIPE, text=True
        )
        assert waiting.stdout
        assert waiting.stdout.readline().startswith("waiting for build run_first")
    assert waiting.stdout.readline() == "held\n"
    assert waiting.wait(30) == 0


def _held(wait: int) -> list[str]:
    code = (
        "from cdp.settings import settings; from cdp.publish import lease;"
        "import functools; say = functools.partial(print, flush=True);"
        f"held = lease.held(settings(), 'second', {wait}, say); held.__enter__(); say('held');"
        "held.__exit__(None, None, None)"
    )
    return [sys.executable, "-c", code]


def test_the_lease_of_who_was_killed_is_free_at_once_on_the_same_machine(stack: Stack) -> None:
    code = (
        "import os, signal; from cdp.settings import settings; from cdp.publish import lease;"
        "held = lease.held(settings(), 'killed'); held.__enter__();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=stack.environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    s3 = objects.client(stack.settings())
    assert list(objects.keys(s3, stack.settings().bucket, lease.KEY)) == [lease.KEY]
    with lease.held(stack.settings(), "next"):
        pass
    assert not list(objects.keys(s3, stack.settings().bucket, lease.KEY))


def test_who_has_lost_the_lease_does_not_publish(stack: Stack, tmp_path: Path) -> None:
    settings = stack.settings()
    with lease.held(settings, "first") as held:
        # Another has found it run out, and taken it.
        objects.client(settings).put_object(Bucket=settings.bucket, Key=lease.KEY, Body=b"{}")
        with pytest.raises(CdpError, match="another command has taken the place of this one"):
            held.check()
    objects.client(settings).delete_object(Bucket=settings.bucket, Key=lease.KEY)
