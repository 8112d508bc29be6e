"""Statements of tests to the local Postgres, and a slot without a reader."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import connection

SLOT = "cdp_test_lag"


def ask(session: connection, sql: str, *values: object) -> list[tuple[object, ...]]:
    with session.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def unread(session: connection) -> Iterator[str]:
    """Yield the name of a slot without a reader; drop it in the end."""
    ask(session, "select pg_create_logical_replication_slot(%s, 'pgoutput')", SLOT)
    yield SLOT
    ask(session, "select pg_drop_replication_slot(%s)", SLOT)


def write(session: connection) -> None:
    """Have a few megabytes of log written."""
    ask(session, "drop table if exists lagging")
    ask(session, "create table lagging as select repeat('x', 1000) from generate_series(1, 4000)")
    ask(session, "drop table lagging")
