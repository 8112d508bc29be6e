"""Short questions to the Postgres whose tables are captured."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import connection

from cdp.settings import Settings

SECONDS = 5


@contextmanager
def connect(settings: Settings) -> Iterator[connection]:
    """A connection that commits each statement, closed in the end.

    Raises CdpError when no Postgres is set, psycopg2.Error when it does not let us in.
    """
    opened = psycopg2.connect(
        settings.postgres_dsn,
        application_name="cdp",
        connect_timeout=SECONDS,
        options="-c statement_timeout=30s",
    )
    opened.autocommit = True
    with closing(opened):
        yield opened
