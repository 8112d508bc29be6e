"""Tables of `monitoring`, read through PyIceberg and asked in SQL; Spark and Trino may be away.

A scrape is cheap: a table is read again only when its snapshot is a new one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from cdp.lake import open_catalog
from cdp.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table


@dataclass(frozen=True)
class Question:
    """A query of tables, named in it without their schema; `columns` are what it reads of each."""

    sql: str
    columns: Mapping[str, tuple[str, ...]]


class Tables:
    """The tables of a catalog, each kept until it has another snapshot.

    Raises what PyIceberg does when the catalog or the store is away.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._catalog: Catalog | None = None
        self._kept: dict[tuple[str, ...], tuple[int, Any]] = {}

    def ask(self, question: Question) -> list[dict[str, Any]]:
        """The rows of the answer; none where a table is not there yet."""
        import duckdb

        found = {name: self._rows(name, columns) for name, columns in question.columns.items()}
        with duckdb.connect() as database:
            for name, rows in found.items():
                if rows is None:
                    return []
                database.register(name, rows)
            answer: list[dict[str, Any]] = database.sql(question.sql).to_arrow_table().to_pylist()
        return answer

    def newest(self, table: str, column: str) -> datetime | None:
        """The greatest date or moment of a column, as the files' statistics have it."""
        key = (table, column)
        found: datetime | None = self._cached(key, table, lambda t: _newest(t, column))
        return found

    def _rows(self, name: str, columns: tuple[str, ...]) -> "pa.Table | None":
        def read(table: "Table") -> "pa.Table":
            return table.scan(selected_fields=columns).to_arrow()

        return self._cached((name, *columns), f"monitoring.{name}", read)

    def _cached(self, key: tuple[str, ...], table: str, read: Callable[["Table"], Any]) -> Any:  # noqa: ANN401
        """What was read of a table, as of its snapshot; None without a table, or a row in it."""
        from pyiceberg.exceptions import NoSuchTableError

        if self._catalog is None:
            self._catalog = open_catalog(self.settings)
        try:
            found = self._catalog.load_table(table)
        except NoSuchTableError:
            return None
        snapshot = found.current_snapshot()
        if snapshot is None:
            return None
        if key not in self._kept or self._kept[key][0] != snapshot.snapshot_id:
            self._kept[key] = snapshot.snapshot_id, read(found)
        return self._kept[key][1]


def _newest(table: "Table", column: str) -> datetime | None:
    from pyiceberg.conversions import from_bytes
    from pyiceberg.types import PrimitiveType

    field = table.schema().find_field(column)
    if not isinstance(field.field_type, PrimitiveType):
        raise TypeError(f"{column} is no date and no moment")
    bounds = [
        from_bytes(field.field_type, bound)
        for task in table.scan().plan_files()
        if (bound := (task.file.upper_bounds or {}).get(field.field_id)) is not None
    ]
    return max((_moment(bound, str(field.field_type)) for bound in bounds), default=None)


def _moment(value: Any, kind: str) -> datetime:  # noqa: ANN401 - as Iceberg keeps it
    """A day, or microseconds, since 1970."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    seconds = value * 86_400 if kind == "date" else value / 1e6
    return datetime.fromtimestamp(seconds, UTC)
