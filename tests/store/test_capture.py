"""Change data capture: what has landed, replayed, is the table, whatever happened in between."""

import signal

from tests.support.captured import COLUMNS, DECLARED, DROP, Table, fill
from tests.support.waiting import wait_for

# What lands.


def test_snapshot_and_changes_are_the_table(table: Table) -> None:
    table.sql("alter table $t alter name set storage external, add \"Odd Näme\" text default ''")
    table.sql("alter table $t add double numeric generated always as (amount * 2) stored")
    table.sql(fill(1, 50), "update $t set name = null where id < 5")
    table.sql("update $t set name = E'a\\n\"b\",\\\\N' where id = 5")
    assert "a snapshot of 50 rows has landed" in table.capture()
    table.assert_whole()
    table.sql(
        fill(51, 60),
        "update $t set name = repeat('large', 2000) where id = 7",
        "update $t set flag = null where id = 7",  # the large value is not sent again
        "update $t set id = 700 where id = 8",
        "delete from $t where id in (9, 10)",
    )
    assert "16 changes landed" in table.capture()
    table.assert_whole()
    found = table.landed()
    assert [r["_unchanged"] for r in found if r["_unchanged"]] == ['["name"]']
    assert all(r["_source_file"] == f"public.cap_{table.name}" for r in found)
    by_key = {r["id"]: r for r in found if r["_op"] == "d"}
    assert set(by_key) == {"8", "9", "10"}
    assert by_key["9"]["name"] is None
    assert "0 changes in 0 batches" in table.capture()
    table.sql("truncate $t", fill(1, 3))
    table.capture()
    table.assert_whole()


def test_whole_old_rows_are_told_with_replica_identity_full(table: Table) -> None:
    table.sql("drop table $t", f"create table $t {COLUMNS.replace(' primary key', '')}")
    assert "no primary key and no replica identity" in table.refused()
    table.sql("alter table $t replica identity full, alter name set storage external")
    table.sql(fill(1, 5), "update $t set name = repeat('large', 2000) where id = 2")
    table.capture()
    table.sql("update $t set id = 20, flag = null where id = 2", "delete from $t where id = 3")
    table.capture()
    table.assert_whole()
    (deleted,) = (r for r in table.landed() if r["_op"] == "d" and r["id"] == "3")
    assert deleted["name"] == "name 3"


def test_order_of_commits_is_kept_when_transactions_overlap(table: Table) -> None:
    """The later commit began first: what it was sent with must not confirm the other."""
    table.sql(fill(1, 3))
    table.capture()
    early = table.connect()
    with early.cursor() as cursor, table.running("--flush", "1h") as process:
        cursor.execute("begin")
        cursor.execute(f"insert into public.cap_{table.name} values (100, 'early')")  # noqa: S608
        table.sql("insert into $t values (101, 'late')")
        table.sql("analyze $t")  # the table is described again, in a message without an LSN
        table.sql("insert into $t values (102)")
        cursor.execute("commit")
        end = table.wait_until_sent()
        position = table.ledger.last().position  # type: ignore[union-attr]
        assert position
        assert position.lsn <= table.confirmed() < end
        process.kill()
    early.close()
    table.capture()
    table.assert_whole()


def test_end_lands_what_was_gathered(table: Table) -> None:
    table.capture()
    with table.running("--flush", "1h") as process:
        table.sql(fill(1, 10))
        table.wait_until_read()
        table.wait_until_sent()
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 0, said
    table.assert_whole()


# Changes of the table.


def test_column_that_is_added_lands_from_its_first_change(table: Table) -> None:
    table.sql(fill(1, 5))
    with table.running() as process:
        table.sql(fill(6, 7), "alter table $t add \"New One\" text", fill(8, 9).replace(
            "now()", "now(), 'new'"))  # fmt: skip
        ledger = table.ledger

        def rows() -> int:
            return sum(entry.received for entry in ledger.entries())

        wait_for(lambda: rows() == 9)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    last = ledger.last()
    assert last
    assert last.columns[-1] == "new_one"
    assert [r.get("new_one") for r in table.landed()] == [None] * 7 + ["new"] * 2


def test_change_that_does_not_fit_stops_and_goes_on_when_mended(table: Table) -> None:
    table.sql(fill(1, 5))
    table.capture()
    connection = table.connect()
    with connection.cursor() as cursor:  # in one transaction: before it, and after it
        name = f"public.cap_{table.name}"
        cursor.execute(f"begin; insert into {name} values (6, 'before'), (7, 'before')")  # noqa: S608
        cursor.execute(f"alter table {name} alter amount type text using 'about ' || amount")
        cursor.execute(f"insert into {name} values (8, 'after', 'a lot'); commit")  # noqa: S608
    connection.close()
    line = table.refused()
    assert "column amount of" in line
    assert "is text, which decimal cannot hold" in line
    assert [r["id"] for r in table.landed()] == list("1234567")
    assert "is text" in table.refused()  # and nothing lands twice
    table.declare(*(d.replace("decimal", "string") for d in DECLARED))
    assert "no change tells what their values are now" in table.refused()
    assert [r["id"] for r in table.landed()] == list("12345678")
    table.capture("--resnapshot")
    table.assert_whole()

    table.sql("alter table $t drop flag", "insert into $t values (9)")
    assert "column flag of" in table.refused()
    mended = (d.replace("decimal", "string") for d in DECLARED)
    table.declare(*(d.replace("boolean", "boolean, optional: true") for d in mended))
    table.capture()
    table.assert_whole()


# What is refused.


def test_slot_that_is_gone_or_another_is_refused_until_a_new_snapshot(table: Table) -> None:
    table.sql(fill(1, 5))
    table.capture()
    table.sql(DROP, "delete from $t where id = 1", "insert into $t values (6)")
    assert f"slot {table.slot} is gone; changes since" in table.refused()
    assert "a snapshot of 5 rows" in table.capture("--resnapshot")
    table.assert_whole()
    # The publication is made anew: changes meanwhile were not told.
    table.sql("drop publication $s", "insert into $t values (7)")
    assert "does not hold" in table.refused()
    table.sql("create publication $s for table $t")
    assert "is not the one that has landed" in table.refused()
    table.capture("--resnapshot")
    table.sql("insert into $t values (8)")
    table.capture()
    table.assert_whole()


def test_second_capture_is_refused(table: Table) -> None:
    table.capture()
    with table.running():
        table.wait_until_read()
        assert f"another capture of cap.{table.name} runs, pid" in table.refused()


def test_what_cannot_be_captured_is_refused(table: Table) -> None:
    table.sql("create view public.cap_view as select 1 as id")
    try:
        for name, reason in {"view": "is no table", "nothing": "there is no table"}.items():
            other = Table(table.stack, table.folder, name)
            other.declare(*DECLARED)
            assert reason in other.refused()
    finally:
        table.sql("drop view public.cap_view")
    table.declare(*DECLARED, "{name: lacking, type: string}")
    assert "column lacking of" in table.refused()
    table.declare("{name: id, type: timestamp}", *DECLARED[1:])
    assert "is integer, which timestamp cannot hold" in table.refused()
    assert table.ledger.length() == 0
    table.declare(*DECLARED)
    table.capture()
