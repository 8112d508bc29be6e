"""Questions to Trino, as an analyst would put them."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cdp.errors import CdpError
from cdp.settings import Settings


@dataclass(frozen=True)
class Answer:
    """Column names, Trino's types for them, and rows of Python values."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]


def query(sql: str, settings: Settings) -> Answer:
    """Run one statement and fetch all its rows. Raises CdpError when Trino refuses or is away."""
    from requests.exceptions import ConnectionError as Unreachable
    from trino.dbapi import connect
    from trino.exceptions import TrinoConnectionError, TrinoQueryError

    address = urlsplit(settings.trino_address)
    connection = connect(
        host=address.hostname,
        port=address.port,
        http_scheme=address.scheme,
        user=settings.trino_user,
        catalog="lake",
        schema="marts",
        source="cdp",
        timezone="UTC",
        request_timeout=30,
        max_attempts=2,
    )
    try:
        cursor = connection.cursor()
        cursor.execute(sql)
        rows = cursor.fetchall()
        description = cursor.description or []
    except TrinoQueryError as error:
        raise CdpError(f"Trino: {error.message}", "cdp query 'show tables from marts'") from error
    except (TrinoConnectionError, Unreachable) as error:
        raise CdpError(f"Trino does not answer at {settings.trino_address}", "cdp up") from error
    return Answer([d[0] for d in description], [d[1] for d in description], rows)
