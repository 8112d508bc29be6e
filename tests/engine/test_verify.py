"""`cdp capture --verify`: what makes Postgres and the lake differ is found, named and mended."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.captured import DECLARED, Table, captured, fill, writing
from tests.support.stack import CDP, Stack

KEYS = re.compile(r"(missing|extra|different) (\S+)$", re.MULTILINE)


@pytest.fixture
def table(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Table]:
    name = request.node.name.removeprefix("test_")[:20]
    with captured(stack, tmp_path / "src", name) as made:
        yield made
        stack.spark(f"drop table if exists lake.raw.cap_{made.name}")


def verify(table: Table, *options: str) -> set[tuple[str, str]]:
    """Compare; the keys that are named, or none where all is equal."""
    command = [CDP, "capture", f"cap.{table.name}", "--verify", *options]
    done = subprocess.run(
        command, env=table.environment, capture_output=True, text=True, check=False, timeout=300
    )
    said = done.stdout + done.stderr
    found = set(KEYS.findall(said))
    assert done.returncode == (1 if found and "--repair" not in options else 0), said
    assert ("rows are equal as of" in said) == (not found), said
    assert "Traceback" not in said
    return found


def test_divergence_of_any_cause_is_found_named_and_mended(table: Table) -> None:
    """Of a table with odd values, large ones that are not sent again, and keys that change."""
    table.sql(
        'alter table $t alter name set storage external, add "Odd Näme" bool default true',
        "alter table $t add code char(5) default 'ab'",
        fill(1, 400),
        "update $t set name = repeat('large', 2000) where id = 7",
        "update $t set name = E'a\\n\"b\",\\\\N|€' where id = 5",
    )
    table.capture()
    table.sql(
        "update $t set flag = null where id = 7",  # the large value is not sent again
        "update $t set id = 700, name = '' where id = 8",
        "delete from $t where id in (9, 10)",
        "insert into $t select * from $t where false",
    )
    assert verify(table) == set()
    table.sql("truncate $t", fill(1, 300), "delete from $t where id = 3", fill(3, 3))
    assert verify(table) == set()

    # What the log does not tell: a session that writes without it, as a restored backup does; and
    # a column's default, which older rows have at Postgres alone.
    table.sql(
        "drop publication $s",
        "update $t set amount = amount + 1 where id in (20, 21)",
        "delete from $t where id = 30",
        "insert into $t values (1000, 'unseen')",
        "create publication $s for table only $t with (publish_via_partition_root = true, "
        "publish_generated_columns = stored)",
    )
    (slot,) = {e.position.slot for e in table.ledger.entries() if e.position}
    table.sql(f"comment on publication $s is '{slot}'")
    table.sql("update $t set amount = 0 where id = 40")
    wanted = {("different", "20"), ("different", "21"), ("extra", "30"), ("missing", "1000")}
    assert verify(table) == wanted
    assert verify(table) == wanted
    assert verify(table, "--repair") == wanted
    table.sql("update $t set amount = 5 where id = 20", "insert into $t values (30, 'again')")
    assert verify(table) == set()
    table.assert_whole()

    # Damage in the lake itself.
    raw = f"lake.raw.cap_{table.name}"
    table.stack.spark(f"delete from {raw} where id = '50' or id = '51' and _op = 'c'")  # noqa: S608
    table.stack.spark(f"update {raw} set name = 'wrong' where id = '60'")  # noqa: S608
    assert verify(table, "--repair") == {
        ("missing", "50"),
        ("missing", "51"),
        ("different", "60"),
    }
    assert verify(table) == set()


def test_a_default_that_older_rows_have_is_found_and_mended(table: Table) -> None:
    """Postgres does not write these rows anew, nor tells them."""
    table.sql(fill(1, 5))
    table.capture()
    table.sql("alter table $t add later int default 7", "update $t set amount = 1 where id = 2")
    different = {("different", str(key)) for key in (1, 3, 4, 5)}
    assert verify(table, "--repair") == different
    assert verify(table) == set()
    table.assert_whole()


def test_a_table_that_is_written_and_captured_meanwhile_is_equal(table: Table) -> None:
    table.sql(fill(1, 500))
    table.capture()
    with writing(table), table.running():
        table.wait_until_read()
        for _ in range(2):
            assert verify(table) == set()


def test_what_was_never_captured_is_not_compared(table: Table) -> None:
    table.declare(*DECLARED)
    line = table.stack.refused(
        "capture", f"cap.{table.name}", "--verify", CDP_SOURCES_DIR=str(table.folder)
    )
    assert f"nothing of cap.{table.name} has been captured" in line
