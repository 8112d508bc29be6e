"""What `cdp status` reports of replication slots."""

from psycopg2.extensions import connection

from tests.support.postgres import write
from tests.support.stack import Stack


def test_a_slot_that_nobody_reads_is_told_with_its_lag_and_warned_of(
    stack: Stack, session: connection, slot: str
) -> None:
    def told() -> dict[str, object]:
        (found,) = (s for s in stack.status()["slots"] if s["name"] == slot)
        return dict(found)

    before = told()
    assert (before["active"], before["wal_status"]) == (False, "reserved")
    write(session)
    after = told()
    assert _number(after, "lag_bytes") > _number(before, "lag_bytes") + 3e6
    assert _number(after, "retained_bytes") >= _number(after, "lag_bytes")
    assert _number(after, "lag_seconds") > 0
    assert stack.status()["warnings"] == []
    shown = stack.cdp("status", CDP_CAPTURE_WAL_WARN="1MB")
    assert slot in shown
    assert "warning: Postgres keeps 0.0" in shown
    assert f"select pg_drop_replication_slot('{slot}')" in shown


def _number(found: dict[str, object], name: str) -> float:
    value = found[name]
    assert isinstance(value, int | float)
    return value
