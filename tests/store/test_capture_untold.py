"""What happens to a captured table that the log of changes does not tell: it stops the capture."""

import re

import pytest

from tests.support.captured import COLUMNS, DECLARED, DROP, Table, fill, writing
from tests.support.waiting import wait_for

PARTITIONED = (
    "drop table $t",
    f"create table $t {COLUMNS} partition by range (id)",
    "create table $t_a partition of $t for values from (0) to (100)",
    "create table $t_b partition of $t for values from (100) to (200)",
)


@pytest.fixture
def parts(table: Table) -> Table:
    """The table in two partitions, 20 rows in each, captured."""
    table.sql(*PARTITIONED, fill(1, 20), fill(101, 120))
    table.capture()
    table.assert_whole()
    return table


def mended(table: Table) -> None:
    """The capture stops again and again, and goes on after a new snapshot."""
    table.refused()
    assert "a snapshot of" in table.capture("--resnapshot")
    table.assert_whole()
    table.sql("insert into $t values (19 + 3)")
    assert "1 changes landed" in table.capture()
    table.assert_whole()


# Partitions.


def test_changes_and_truncates_of_a_partitioned_table_are_told(parts: Table) -> None:
    parts.sql("update $t set id = id + 100 where id = 5 and false", "delete from $t where id = 1")
    parts.sql("update $t set id = 150 where id = 2", "insert into $t values (30), (130)")
    parts.capture()
    parts.assert_whole()
    parts.sql("truncate $t", fill(40, 45), fill(140, 145))
    parts.capture()
    parts.assert_whole()
    parts.sql("truncate $t", "truncate $t")
    parts.capture()
    parts.assert_whole()


def test_a_new_partition_is_followed(parts: Table) -> None:
    parts.sql("create table $t_c partition of $t for values from (200) to (300)", fill(201, 205))
    parts.capture()
    parts.assert_whole()
    # Made in a transaction with its rows, and with parts of its own.
    connection = parts.connect()
    name = f"public.cap_{parts.name}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"begin; create table {name}_d partition of {name} for values from (300) to (400) "  # noqa: S608
            f"partition by range (id); create table {name}_e partition of {name}_d "
            f"for values from (300) to (350); insert into {name} values (301); commit"
        )
    connection.close()
    parts.capture()
    parts.assert_whole()


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "in-one-transaction"])
def test_partition_that_is_attached_with_rows_stops_the_capture(
    parts: Table, at_once: bool
) -> None:
    statements = [
        "create table $t_c (like $t including all)",
        "insert into $t_c values (201)",
        "alter table $t attach partition $t_c for values from (200) to (300)",
    ]
    if at_once:
        statements = [f"begin; {'; '.join(statements)}; commit"]
    parts.sql(*statements, "insert into $t values (203)")
    line = parts.refused()
    assert re.search(r"table \S+_c was attached to \S+: no change tells which rows", line)
    mended(parts)


@pytest.mark.parametrize("how", ["alter table $t detach partition $t_b", "drop table $t_b"])
def test_partition_that_goes_stops_the_capture(parts: Table, how: str) -> None:
    parts.sql(how, "insert into $t values (22)", "delete from $t where id = 22")
    assert re.search(r"partition \S+_b of \S+ was detached or dropped", parts.refused())
    mended(parts)
    parts.sql("drop table if exists $t_b")


def test_truncate_of_a_partition_stops_the_capture(parts: Table) -> None:
    parts.sql("truncate $t", fill(1, 20), fill(101, 120), "truncate $t_b")
    assert re.search(r"partition \S+_b of \S+ was truncated by itself", parts.refused())
    mended(parts)


def test_a_running_capture_stops_when_a_partition_goes(parts: Table) -> None:
    with parts.running() as process:
        parts.wait_until_read()
        parts.sql("alter table $t detach partition $t_b", "insert into $t values (50)")
        assert process.wait(timeout=60) == 1
        assert process.stdout
        assert "was detached or dropped" in process.stdout.read()
    mended(parts)
    parts.sql("drop table $t_b")


# Rows that are written anew.


@pytest.mark.parametrize(
    "how",
    [
        "alter table $t alter amount type numeric(12, 2) using amount * 100",
        "alter table $t add added uuid default gen_random_uuid()",
    ],
)
def test_rows_that_alter_table_writes_anew_stop_the_capture(table: Table, how: str) -> None:
    table.sql(fill(1, 20))
    table.capture()
    table.sql(how)
    line = table.refused()
    assert "wrote the rows of" in line
    assert "no change tells what their values are now" in line
    mended(table)


@pytest.mark.parametrize(
    "how",
    [
        "vacuum full $t",
        "cluster $t using cap_$k",
        "alter table $t add added text",
        "alter table $t alter name set default 'x'",
        "alter table $t alter name set not null",
        "analyze $t",
    ],
)
def test_what_changes_no_value_does_not_stop_the_capture(table: Table, how: str) -> None:
    table.sql(fill(1, 20))
    table.capture()
    table.sql(how.replace("cap_$k", f"cap_{table.name}_pkey"), fill(21, 22).replace(
        "i % 2 = 0, now()", "true, now()"))  # fmt: skip
    table.capture()
    table.sql("vacuum full $t", fill(31, 32))
    table.capture()
    assert [r["_op"] for r in table.landed()].count("c") == 4


# Rows and columns that are hidden.


def test_snapshot_that_row_level_security_would_cut_is_refused(table: Table) -> None:
    """Its role is a superuser here, whom no policy binds, so another role captures."""
    table.sql(
        fill(1, 20),
        "create role cap_bound login replication password 'bound'",
        "do $do$ begin execute format('grant create on database %I to cap_bound', "
        "current_database()); end $do$",
        "alter table $t owner to cap_bound",
        "alter table $t enable row level security, force row level security",
        "create policy few on $t using (id > 10)",
    )
    try:
        settings = table.stack.settings()
        bound = re.sub(r"//[^@]*@", "//cap_bound:bound@", settings.postgres_dsn)
        line = table.stack.refused(
            *("capture", f"cap.{table.name}", "--once"),
            CDP_SOURCES_DIR=str(table.folder),
            CDP_POSTGRES_URL=bound,
        )
        assert "row-level security hides rows" in line
        assert not table.ledger.length()
    finally:
        table.sql(
            DROP,
            "drop publication if exists $s",
            "reassign owned by cap_bound to current_user",
            "drop owned by cap_bound",
            "drop role cap_bound",
        )


def test_column_that_is_generated_when_it_is_read_is_named(table: Table) -> None:
    table.sql("alter table $t add twice numeric generated always as (amount * 2) virtual")
    table.sql(fill(1, 3))
    assert "column twice is generated when it is read, and is not captured" in table.capture()
    table.sql(fill(4, 5))
    table.capture()
    assert len(table.landed()) == 5
    table.declare(*DECLARED, "{name: twice, type: decimal}")
    table.sql(fill(6, 7))
    line = table.refused("--resnapshot")
    assert "is generated when it is read: Postgres does not send it" in line
    table.declare(*DECLARED, "{name: twice, type: decimal, optional: true}")
    table.capture("--resnapshot")
    assert [r["id"] for r in table.landed() if r["_op"] == "r"][-1] == "7"


# A new snapshot, while the table is in use.


def test_new_snapshots_lose_nothing_while_the_table_is_written(table: Table) -> None:
    table.sql(fill(1, 500))
    table.capture()
    with writing(table) as writer:
        for _ in range(3):
            done = writer.done
            table.capture("--resnapshot")
            wait_for(lambda seen=done: writer.done > seen)  # type: ignore[misc]
    table.capture()
    table.assert_whole()
