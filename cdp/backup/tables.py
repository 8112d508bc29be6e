"""The catalog's part: what it says of each table, and giving it back to an empty catalog."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cdp import lake, objects
from cdp.backup.manifest import Manifest, Table
from cdp.errors import CdpError
from cdp.settings import Settings

if TYPE_CHECKING:
    from pyiceberg.table.metadata import TableMetadata

AT_ONCE = 8


class Tables:
    """A catalog's namespaces and tables, through PyIceberg."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalog = lake.open_catalog(settings)
        self._s3: Any = objects.client(settings)

    def namespaces(self) -> dict[str, dict[str, str]]:
        """Properties by name."""
        found = [name for (name, *_) in self._catalog.list_namespaces()]
        return {n: dict(self._catalog.load_namespace_properties(n)) for n in sorted(found)}

    def all(self) -> dict[str, Table]:
        """Every table by name."""
        names = [
            ".".join(table)
            for namespace in self._catalog.list_namespaces()
            for table in self._catalog.list_tables(namespace)
        ]

        def load(name: str) -> Table:
            table = self._catalog.load_table(name)
            return told(name, table.metadata_location, table.metadata)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return {table.name: table for table in pool.map(load, sorted(names))}

    def newest(self, table: Table) -> Table | None:
        """A table by the newest metadata file of it in the store: that of the backup, or of a
        commit after it. None when no file of it is there."""
        for location in self._metadata_files(table):
            metadata = self._read(location)
            if str(metadata.table_uuid) == table.uuid:
                return told(table.name, location, metadata)
        return None

    def _metadata_files(self, table: Table) -> Iterator[str]:
        """The metadata files in the folder of a table's, the newest first."""
        url = urlsplit(table.metadata)
        prefix = url.path.lstrip("/").rpartition("/")[0] + "/"
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=url.netloc, Prefix=prefix)
        files = [
            e for page in pages for e in page.get("Contents", []) if "metadata.json" in e["Key"]
        ]
        # Of the same second the later version comes first: their names begin with its number.
        for entry in sorted(files, key=lambda e: (e["LastModified"], e["Key"]), reverse=True):
            yield f"{url.scheme}://{url.netloc}/{entry['Key']}"

    def _read(self, location: str) -> "TableMetadata":
        from pyiceberg.io import load_file_io
        from pyiceberg.serializers import FromInputFile

        io = load_file_io(self._catalog.properties, location)
        return FromInputFile.table_metadata(io.new_input(location))

    def register(self, manifest: Manifest, say: Callable[[str], None]) -> dict[str, Table]:
        """Give the tables of a backup back to a catalog that has none; as they are now.

        Those that an interrupted restore has registered are left as they are. Raises CdpError
        before anything is done when another table stands, or when the files of one are gone.
        """
        standing = self.all()
        strangers = sorted(
            name
            for name, found in standing.items()
            if found.uuid not in {t.uuid for t in manifest.tables if t.name == name}
        )
        if strangers:
            raise CdpError(
                f"the catalog is not empty: {', '.join(strangers[:5])} stands, and is not the "
                "table of the backup",
                "restore is for a catalog that was lost; drop what was made since",
            )
        missing = [t for t in manifest.tables if t.name not in standing]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(zip(missing, pool.map(self.newest, missing), strict=True))
        if lost := [table.name for table, newest in found if newest is None]:
            raise CdpError(
                f"the store has no metadata file of {', '.join(lost[:5])}",
                "restore the store first, by its own means: docs/backup.md",
            )
        for name, properties in manifest.namespaces.items():
            self._catalog.create_namespace_if_not_exists(name, properties)
        done = standing
        for table, newest in found:
            if newest is None:
                continue
            done[table.name] = self._register(newest)
        if later := sum(newest is not None and newest != table for table, newest in found):
            say(f"{later} tables go on from what was committed after the backup")
        return done

    def _register(self, table: Table) -> Table:
        self._catalog.register_table(table.name, table.metadata)
        # Asked for again: a catalog may accept a table and not have read it.
        loaded = self._catalog.load_table(table.name)
        found = told(table.name, loaded.metadata_location, loaded.metadata)
        if found != table:
            raise CdpError(
                f"the catalog has registered {table.name} otherwise than its metadata file says",
                "this catalog cannot restore tables: use its own backup; docs/backup.md",
            )
        return found


def told(name: str, location: str, metadata: "TableMetadata") -> Table:
    """A table by its metadata."""
    refs = {ref: found.snapshot_id for ref, found in metadata.refs.items()}
    current = metadata.current_snapshot_id
    snapshot = metadata.snapshot_by_id(current) if current is not None else None
    summary = snapshot.summary if snapshot else None
    rows = int(summary["total-records"] or 0) if summary else 0
    return Table(name, str(metadata.table_uuid), location, current, rows, refs)
