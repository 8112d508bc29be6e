"""Small Iceberg tables without Spark: records of what the platform did, through PyIceberg.

A record must be kept when Spark is what failed; an append is one commit, whole or not at all.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cdp.errors import CdpError
from cdp.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

ATTEMPTS = 8
# Each append is a small file: their manifests are merged as they come.
PROPERTIES = {"format-version": "2", "commit.manifest-merge.enabled": "true"}


def open_catalog(settings: Settings) -> "Catalog":
    """The catalog of the settings, by PyIceberg."""
    from pyiceberg.catalog import load_catalog

    environment = settings.environment()
    return load_catalog(
        "lake",
        type="rest",
        uri=settings.catalog_url,
        warehouse=settings.warehouse,
        credential=environment["CDP_CATALOG_SECRET"],
        scope="catalog",
        **{
            "oauth2-server-uri": f"{settings.catalog_url}/v1/oauth/tokens",
            "s3.endpoint": settings.store_url,
            "s3.access-key-id": environment["AWS_ACCESS_KEY_ID"],
            "s3.secret-access-key": environment["AWS_SECRET_ACCESS_KEY"],
            "s3.region": settings.s3_region,
        },
    )


class Log:
    """A table that rows are only ever added to; it is made with the first of them.

    name: `namespace.table`. schema: Arrow's, in the order of the columns.
    """

    def __init__(self, name: str, schema: "pa.Schema", settings: Settings) -> None:
        self.name = name
        self.schema = schema
        self.catalog = open_catalog(settings)

    def compact(self, above: int) -> None:
        """Put all rows into one file when there are more files than that. Whoever adds rows
        meanwhile comes first: then it is left to the next time."""
        from pyiceberg.exceptions import CommitFailedException

        table = self._table()
        if sum(1 for _ in table.scan().plan_files()) > above:
            with suppress(CommitFailedException):
                table.overwrite(table.scan().to_arrow())

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows in one commit. Raises CdpError when others were faster, again and again."""
        import pyarrow as pa
        from pyiceberg.exceptions import CommitFailedException

        if not rows:
            return
        added = pa.Table.from_pylist([dict(row) for row in rows], schema=self.schema)
        for _ in range(ATTEMPTS):
            try:
                self._table().append(added)
            except CommitFailedException as error:
                failure = error
            else:
                return
        raise CdpError(f"{self.name} is written to by many at once", "try again") from failure

    def read(self, **equal: str) -> list[dict[str, Any]]:
        """The rows whose columns have these values, in no order; none when there is no table."""
        from pyiceberg.exceptions import NoSuchTableError
        from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, EqualTo

        try:
            table = self.catalog.load_table(self.name)
        except NoSuchTableError:
            return []
        where: BooleanExpression = AlwaysTrue()
        for column, value in equal.items():
            # mypy sees the constructor of pydantic, which the class replaces.
            where = And(where, EqualTo(column, value))  # type: ignore[misc,call-arg,arg-type]
        rows: list[dict[str, Any]] = table.scan(where).to_arrow().to_pylist()
        return rows

    def _table(self) -> "Table":
        from pyiceberg.exceptions import NoSuchTableError

        try:
            return self.catalog.load_table(self.name)
        except NoSuchTableError:
            self.catalog.create_namespace_if_not_exists(self.name.rpartition(".")[0])
            return self.catalog.create_table_if_not_exists(
                self.name, schema=self.schema, properties=PROPERTIES
            )


def give_a_snapshot(name: str, settings: Settings) -> None:
    """Give a table that has none a snapshot without rows: a branch begins at a snapshot."""
    table = open_catalog(settings).load_table(name)
    table.append(table.schema().as_arrow().empty_table())
